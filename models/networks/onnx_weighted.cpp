// ONNX nodes with weights, and windows: convolutions, products, tables, pools.
#include "models/networks/onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

/// Layers with weights of two or more dimensions; false when the operator is none of them.
bool OnnxLayers::add_weighted(const OnnxNode& node) {
  const bool has_weights = node.inputs.size() > 1 && constants_.contains(node.inputs[1]);
  if (node.op == "Conv" || node.op == "ConvTranspose") {
    add_convolution(node, node.op == "Conv" ? LayerKind::convolution : LayerKind::transposed_convolution);
  } else if ((node.op == "Gemm" || node.op == "MatMul") && has_weights && knows(node.inputs[1])) {
    const std::vector<std::int64_t> dims = dims_of(node.inputs[1]);
    if (dims.size() != 2) {
      refuse(node, fmt::format("{} multiplies with a tensor of {} dimensions", node.op, dims.size()));
      return true;
    }
    const bool turned = node.integer("transB", 0) != 0;
    add_dense(node, dims[turned ? 1 : 0], dims[turned ? 0 : 1], node.op == "Gemm" && node.inputs.size() > 2);
  } else if (node.op == "Gather" && constants_.contains(node.inputs.front())) {
    add_table(node);
  } else if (node.op == "GroupNormalization" || node.op == "InstanceNormalization") {
    const std::int64_t groups = node.integer("num_groups", 1);
    if (!counts(node, "num_groups", {groups})) return true;
    Layer& layer = append(node, LayerKind::group_norm, operands(node).front());
    layer.groups = node.op[0] == 'G' ? groups : layer.in.channels;
  } else {
    const bool holds = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
      const auto constant = model_.constants.find(input);
      return constant != model_.constants.end() && is_floating(constant->second.type) &&
             constant->second.dims.size() > 1;
    });
    if (!holds || node.op == "Add" || node.op == "Mul" || node.op == "Concat" || is_onnx_view(node)) return false;
    refuse(node, fmt::format("{} has weights, but is no operator that is known", node.op),
           "leave the part out, or describe the network in a .toml");
  }
  return true;
}

bool OnnxLayers::counts(const OnnxNode& node, std::string_view attribute, const std::vector<std::int64_t>& numbers) {
  const auto wrong = std::find_if(numbers.begin(), numbers.end(), [](std::int64_t number) { return number < 1; });
  if (wrong != numbers.end()) refuse(node, fmt::format("{} is {}, and must be at least 1", attribute, *wrong));
  return wrong == numbers.end();
}

void OnnxLayers::add_convolution(const OnnxNode& node, LayerKind kind) {
  const std::vector<std::int64_t> dims = node.inputs.size() > 1 ? dims_of(node.inputs[1]) : std::vector<std::int64_t>();
  if (dims.size() != 4) {
    refuse(node,
           fmt::format("{} of images alone is known, with a kernel of 4 dimensions, not {}", node.op, dims.size()));
    return;
  }
  const std::vector<std::int64_t> strides = node.integers("strides"), pads = node.integers("pads");
  const std::int64_t groups = node.integer("group", 1);
  if (!counts(node, "kernel", dims) || !counts(node, "strides", strides) || !counts(node, "group", {groups})) return;
  Layer& layer = append(node, kind, operands(node).front());
  layer.kernel = dims[2];
  layer.stride = strides.empty() ? 1 : strides.front();
  layer.padding = pads.empty() ? 0 : pads.front();
  const std::int64_t stride_width = strides.size() > 1 ? strides[1] : layer.stride;
  const std::int64_t padding_width = pads.size() > 1 ? pads[1] : layer.padding;
  if (dims[3] != dims[2] || stride_width != layer.stride || padding_width != layer.padding) {
    layer.kernel_width = dims[3], layer.stride_width = stride_width, layer.padding_width = padding_width;
  }
  layer.groups = groups;
  layer.bias = node.inputs.size() > 2 && !node.inputs[2].empty();
}

void OnnxLayers::add_dense(const OnnxNode& node, std::int64_t in, std::int64_t units, bool bias) {
  Layer& layer = append(node, LayerKind::dense, operands(node).front());
  if (layer.in.channels != in) {
    refuse(node, fmt::format("multiplies {} with a matrix of {} rows", to_text(layer.in), in));
    return;
  }
  layer.out = {layer.in.height, layer.in.width, units};
  values_[node.outputs.front()].shape = layer.out;
  layer.bias = bias;
}

void OnnxLayers::add_table(const OnnxNode& node) {
  const std::vector<std::int64_t> dims = dims_of(node.inputs.front());
  const std::string from = operands(node).front();
  if (dims.size() != 2) {
    add_elementwise(node);
    return;
  }
  Layer& layer = append(node, LayerKind::embedding, from);
  layer.vocabulary = dims[0];
  layer.out = {layer.in.height, 1, dims[1]};
  values_[node.outputs.front()].shape = layer.out;
}

void OnnxLayers::add_pool(const OnnxNode& node, LayerKind kind) {
  const std::vector<std::int64_t> kernel = node.integers("kernel_shape"), strides = node.integers("strides");
  const std::vector<std::int64_t> pads = node.integers("pads");
  if (!counts(node, "kernel_shape", kernel) || !counts(node, "strides", strides)) return;
  Layer& layer = append(node, kind, operands(node).front());
  layer.kernel = kernel.empty() ? 1 : kernel.front();
  layer.stride = strides.empty() ? 1 : strides.front();
  layer.padding = pads.empty() ? 0 : pads.front();
}

}  // namespace orrery
