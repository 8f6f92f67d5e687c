#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "models/networks/onnx_patterns.hpp"

namespace orrery {

namespace {

/// Whether a node changes neither which numbers there are nor, but for a factor, their size.
bool passes(const OnnxLinks& links, const OnnxNode& node) {
  constexpr std::array<std::string_view, 4> scaling = {"Mul", "Div", "Sqrt", "Where"};
  const bool scales = std::find(scaling.begin(), scaling.end(), node.op) != scaling.end();
  return is_onnx_view(node) || scales || (node.op == "Add" && links.only_operand(node).has_value());
}

enum class Sums : std::uint8_t { end, pass };

/// What a value comes from; nodes passed are noted in `passed`.
std::string source(const OnnxLinks& links, std::string value, std::set<std::size_t>& passed, Sums sums) {
  for (std::size_t node = links.producer(value); node != OnnxLinks::none; node = links.producer(value)) {
    const OnnxNode& at = links.node(node);
    const auto operand = links.only_operand(at);
    if (!passes(links, at) || (at.op == "Add" && sums == Sums::end) || !operand) break;
    if (!is_onnx_view(at)) passed.insert(node);
    value = *operand;
  }
  return value;
}

/// A product of two values that both depend on the input.
bool multiplies(const OnnxLinks& links, std::size_t node) {
  if (node == OnnxLinks::none) return false;
  const OnnxNode& at = links.node(node);
  return at.op == "MatMul" && at.inputs.size() == 2 && !links.is_constant(at.inputs[0]) &&
         !links.is_constant(at.inputs[1]);
}

/// The product of the probabilities and the values, and where either stands in it.
struct Weighting {
  std::size_t product = OnnxLinks::none;
  std::size_t values = 1;  // operand; the probabilities are the other one
};

/// Follows the probabilities through changes of format; turned by a Transpose they are the second operand. Nodes passed
/// are noted in `passed`.
std::optional<Weighting> find_weighting(const OnnxLinks& links, std::string probabilities,
                                        std::set<std::size_t>& passed) {
  Weighting found;
  for (found.product = links.only_reader(probabilities); found.product != OnnxLinks::none;
       found.product = links.only_reader(probabilities)) {
    const OnnxNode& at = links.node(found.product);
    if (at.op == "Transpose") found.values = 1 - found.values;
    if (at.op != "Dropout" && at.op != "Cast" && at.op != "Transpose") break;
    passed.insert(found.product);
    probabilities = at.outputs.front();
  }
  if (!multiplies(links, found.product)) return std::nullopt;
  const bool is_in_place = links.node(found.product).inputs[1 - found.values] == probabilities;
  return is_in_place ? std::optional(found) : std::nullopt;
}

}  // namespace

void find_onnx_attention(const OnnxLinks& links, std::size_t softmax, OnnxPatterns& patterns) {
  const OnnxNode& node = links.node(softmax);
  std::set<std::size_t> passed = {softmax};
  const std::size_t product = links.producer(source(links, node.inputs.front(), passed, Sums::pass));
  const auto weighting = find_weighting(links, node.outputs.front(), passed);
  if (!multiplies(links, product) || !weighting) return;
  passed.insert(product);
  const OnnxNode& scores = links.node(product);
  OnnxAttention found;
  found.query = source(links, scores.inputs[0], passed, Sums::end);
  found.key = source(links, scores.inputs[1], passed, Sums::end);
  found.value = source(links, links.node(weighting->product).inputs[weighting->values], passed, Sums::end);
  found.scores = node.outputs.front();
  found.queries = scores.inputs[0];
  found.value_axis = weighting->values == 1 ? 3 : 2;
  patterns.attention[weighting->product] = std::move(found);
  patterns.absorbed.insert(passed.begin(), passed.end());
}

}  // namespace orrery
