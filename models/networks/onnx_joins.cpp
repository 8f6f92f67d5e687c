// ONNX nodes that join several values: sums, products, concatenations.
#include "models/networks/onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

void OnnxLayers::add_sum_or_product(const OnnxNode& node) {
  const std::vector<std::string> both = operands(node);
  if (both.size() == 1) {
    add_constant(node, node.inputs[0] == both.front() ? node.inputs[1] : node.inputs[0]);
    return;
  }
  const Value first = values_.at(both[0]), second = values_.at(both[1]);
  if (first.shape != second.shape || !second.layer.valid()) {
    add_elementwise(node);
    return;
  }
  const LayerKind kind = node.op == "Add" ? LayerKind::residual_add : LayerKind::multiply;
  append(node, kind, both[0]).skip = second.layer;
}

/// A sum with a constant: the bias of the product before it, a table of positions, or elementwise.
void OnnxLayers::add_constant(const OnnxNode& node, const std::string& constant) {
  const std::string from = operands(node).front();
  const std::int64_t numbers = numbers_of(dims_of(constant));
  const Value value = values_.at(from);
  const bool is_sum = node.op == "Add" && model_.constants.contains(constant);
  Layer* before = value.layer.valid() ? &graph_.layers[value.layer.index()] : nullptr;
  if (is_sum && before != nullptr && before->kind == LayerKind::dense && !before->bias &&
      numbers == before->out.channels && readers_[from] == 1) {
    before->bias = true;
    values_[node.outputs.front()] = value;
  } else if (is_sum && value.shape.width == 1 && value.shape.height > 1 && numbers == value.shape.count()) {
    append(node, LayerKind::position_embedding, from);
  } else {
    add_elementwise(node);
  }
}

LayerId OnnxLayers::join(const std::string& name, LayerId first, LayerId second) {
  Layer layer;
  layer.id = LayerId(graph_.layers.size());
  layer.name = unique(name);
  layer.kind = LayerKind::concatenate;
  layer.input = first;
  layer.skip = second;
  layer.in = layer.out = given(first);
  layer.out.channels += given(second).channels;
  graph_.layers.push_back(layer);
  return layer.id;
}

/// Of channels: two at a time. A trained token before the others is a class token; other directions are elementwise.
void OnnxLayers::add_concatenation(const OnnxNode& node) {
  const std::vector<std::string> parts = operands(node);
  const Shape whole = shape_of(node.outputs.front()), first = values_.at(parts.front()).shape;
  std::int64_t channels = 0;
  bool fits = true;
  for (const std::string& part : parts) {
    const Value& value = values_.at(part);
    channels += value.shape.channels;
    fits = fits && value.layer.valid() && value.shape.height == whole.height && value.shape.width == whole.width;
  }
  if (parts.size() == 1 && whole.channels == first.channels && whole.height == first.height + 1 && whole.width == 1) {
    append(node, LayerKind::class_token, parts.front());
  } else if (parts.size() > 1 && fits && channels == whole.channels) {
    LayerId joined = values_.at(parts[0]).layer;
    for (std::size_t i = 1; i < parts.size(); ++i) joined = join(node.name, joined, values_.at(parts[i]).layer);
    values_[node.outputs.front()] = {joined, whole};
  } else {
    add_elementwise(node);
  }
}

}  // namespace orrery
