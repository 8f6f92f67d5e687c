#include <algorithm>
#include <array>
#include <string_view>

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

}  // namespace

void find_onnx_attention(const OnnxLinks& links, std::size_t softmax, OnnxPatterns& patterns) {
  const OnnxNode& node = links.node(softmax);
  std::set<std::size_t> passed = {softmax};
  const std::size_t product = links.producer(source(links, node.inputs.front(), passed, Sums::pass));
  std::size_t values = links.only_reader(node.outputs.front());
  while (values != OnnxLinks::none && (links.node(values).op == "Dropout" || links.node(values).op == "Cast")) {
    passed.insert(values);
    values = links.only_reader(links.node(values).outputs.front());
  }
  if (!multiplies(links, product) || !multiplies(links, values)) return;
  passed.insert(product);
  const OnnxNode& scores = links.node(product);
  OnnxAttention found;
  found.query = source(links, scores.inputs[0], passed, Sums::end);
  found.key = source(links, scores.inputs[1], passed, Sums::end);
  found.value = source(links, links.node(values).inputs[1], passed, Sums::end);
  found.scores = node.outputs.front();
  patterns.attention[values] = std::move(found);
  patterns.absorbed.insert(passed.begin(), passed.end());
}

}  // namespace orrery
