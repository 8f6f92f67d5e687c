#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/networks/onnx_patterns.hpp"

namespace orrery {

namespace {

using Nodes = std::set<std::size_t>;

/// The v of a node that squares it.
std::optional<std::string> squared(const OnnxLinks& links, std::size_t node) {
  if (node == OnnxLinks::none) return std::nullopt;
  const OnnxNode& at = links.node(node);
  if (at.op == "Pow") return links.only_operand(at);
  const bool is_square = at.op == "Mul" && at.inputs.size() == 2 && at.inputs[0] == at.inputs[1];
  return is_square ? std::optional(at.inputs[0]) : std::nullopt;
}

/// The node that gives v / root: a quotient, or a product with 1 / root. Noted in `nodes`.
std::size_t find_quotient(const OnnxLinks& links, std::size_t root, const std::string& v, Nodes& nodes) {
  const std::size_t quotient = links.only_reader(root, "Div");
  if (quotient != OnnxLinks::none && links.node(quotient).inputs.front() == v) {
    nodes.insert(quotient);
    return quotient;
  }
  const bool is_inverse = quotient != OnnxLinks::none && links.is_constant(links.node(quotient).inputs.front());
  const std::size_t inverse = is_inverse ? quotient : links.only_reader(root, "Reciprocal");
  const std::size_t product = links.only_reader(inverse, "Mul");
  if (product == OnnxLinks::none) return OnnxLinks::none;
  const auto& inputs = links.node(product).inputs;
  if (inputs[0] != v && inputs[1] != v) return OnnxLinks::none;
  nodes.insert({inverse, product});
  return product;
}

/// Whether a mean is taken over the last dimension and no other, which are the channels of a vector or of tokens. By
/// the shapes: newer versions of the operator give the axes as a value, which is not read.
bool is_over_channels(const OnnxLinks& links, std::size_t mean) {
  const auto x = links.only_operand(links.node(mean));
  if (!x || links.node(mean).outputs.empty()) return false;
  std::vector<std::int64_t> from = links.dims(*x), to = links.dims(links.node(mean).outputs.front());
  if (from.size() != to.size() || from.size() < 2 || from.size() > 3 || to.back() != 1) return false;
  from.back() = 1;
  return std::equal(from.begin() + 1, from.end(), to.begin() + 1);  // dimension 0 is the batch
}

/// The x of v = x - mean(x); noted in `nodes`.
std::optional<std::string> centred(const OnnxLinks& links, const std::string& v, Nodes& nodes) {
  const std::size_t difference = links.producer(v);
  if (difference == OnnxLinks::none || links.node(difference).op != "Sub") return std::nullopt;
  const auto& inputs = links.node(difference).inputs;
  const std::size_t mean = links.producer(inputs[1]);
  if (mean == OnnxLinks::none || links.node(mean).op != "ReduceMean") return std::nullopt;
  if (links.only_operand(links.node(mean)) != inputs[0] || !is_over_channels(links, mean)) return std::nullopt;
  nodes.insert({difference, mean});
  return inputs[0];
}

/// The next node, a change of format aside, when it is `op` with a constant for each of the `channels`: the scale or
/// the shift. Noted in `nodes`.
std::size_t find_weights(const OnnxLinks& links, std::size_t last, std::string_view op, std::int64_t channels,
                         Nodes& nodes) {
  const std::size_t cast = links.only_reader(last, "Cast");
  const std::size_t next = links.only_reader(cast == OnnxLinks::none ? last : cast, op);
  if (next == OnnxLinks::none || !links.only_operand(links.node(next))) return OnnxLinks::none;
  const auto& inputs = links.node(next).inputs;
  const std::vector<std::int64_t> dims = links.dims(inputs[links.is_constant(inputs[0]) ? 0 : 1]);
  if (dims.empty() || dims.back() != channels || numbers_of(dims) != channels) return OnnxLinks::none;
  if (cast != OnnxLinks::none) nodes.insert(cast);
  nodes.insert(next);
  return next;
}

}  // namespace

void find_onnx_norm(const OnnxLinks& links, std::size_t mean, OnnxPatterns& patterns) {
  const auto square = links.only_operand(links.node(mean));
  const std::size_t power = square ? links.producer(*square) : OnnxLinks::none;
  const auto v = squared(links, power);
  const std::size_t sum = links.only_reader(mean, "Add"), root = links.only_reader(sum, "Sqrt");
  if (!v || root == OnnxLinks::none || !is_over_channels(links, mean)) return;
  Nodes nodes = {mean, power, sum, root};
  const std::size_t quotient = find_quotient(links, root, *v, nodes);
  if (quotient == OnnxLinks::none) return;
  const std::int64_t channels = links.dims(*square).back();
  const std::size_t scale = find_weights(links, quotient, "Mul", channels, nodes);
  if (scale == OnnxLinks::none) return;
  const auto x = centred(links, *v, nodes);
  if (!x) {
    patterns.add({LayerKind::rms_norm, *v}, scale, nodes);
  } else if (const std::size_t shift = find_weights(links, scale, "Add", channels, nodes); shift != OnnxLinks::none) {
    patterns.add({LayerKind::layer_norm, *x}, shift, nodes);
  }
}

}  // namespace orrery
