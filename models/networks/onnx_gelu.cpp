#include <optional>

#include "models/networks/onnx_patterns.hpp"

namespace orrery {

namespace {

using Nodes = std::set<std::size_t>;

/// The x of x + factor x^3, the sum being given by node `sum`; noted in `nodes`.
std::optional<std::string> cube_operand(const OnnxLinks& links, std::size_t sum, Nodes& nodes) {
  if (sum == OnnxLinks::none || links.node(sum).op != "Add" || links.node(sum).inputs.size() != 2) return std::nullopt;
  for (const std::size_t cubed : {std::size_t{1}, std::size_t{0}}) {
    const std::size_t factor = links.producer(links.node(sum).inputs[cubed]);
    const auto cube = factor == OnnxLinks::none ? std::nullopt : links.only_operand(links.node(factor));
    const std::size_t power = cube ? links.producer(*cube) : OnnxLinks::none;
    if (power == OnnxLinks::none || links.node(power).op != "Pow") continue;
    const std::string& x = links.node(sum).inputs[1 - cubed];
    if (links.only_operand(links.node(power)) != x) continue;
    nodes.insert({sum, factor, power});
    return x;
  }
  return std::nullopt;
}

/// What the function is taken of: x / sqrt 2 for erf, the sum with the cube for tanh.
std::optional<std::string> inner_operand(const OnnxLinks& links, std::size_t function, Nodes& nodes) {
  const std::size_t scaled = links.producer(links.node(function).inputs.front());
  if (scaled == OnnxLinks::none) return std::nullopt;
  const auto operand = links.only_operand(links.node(scaled));
  if (!operand) return std::nullopt;
  nodes.insert(scaled);
  return links.node(function).op == "Erf" ? operand : cube_operand(links, links.producer(*operand), nodes);
}

}  // namespace

void find_onnx_gelu(const OnnxLinks& links, std::size_t function, OnnxPatterns& patterns) {
  Nodes group = {function};
  const auto x = inner_operand(links, function, group);
  const std::size_t sum = links.only_reader(function, "Add");
  const std::size_t product = links.only_reader(sum, "Mul");
  if (!x || product == OnnxLinks::none) return;
  group.insert({sum, product});
  const OnnxNode& last = links.node(product);
  const std::string other = last.inputs[last.inputs[0] == links.node(sum).outputs.front() ? 1 : 0];
  if (other == *x) {  // the half comes last
    const std::size_t half = links.only_reader(product, "Mul");
    if (half == OnnxLinks::none || !links.only_operand(links.node(half))) return;
    group.insert(half);
    patterns.add({LayerKind::gelu, *x}, half, group);
    return;
  }
  const std::size_t halved = links.producer(other);  // the half stands before x
  if (halved == OnnxLinks::none || links.only_operand(links.node(halved)) != x) return;
  group.insert(halved);
  patterns.add({LayerKind::gelu, *x}, product, group);
}

}  // namespace orrery
