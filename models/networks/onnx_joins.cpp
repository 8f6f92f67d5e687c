// ONNX nodes that join several values: sums, products, concatenations, attention.
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

void OnnxLayers::add_attention(const OnnxNode& node, const OnnxAttention& attention) {
  std::vector<std::int64_t> scores = dims_of(attention.scores), out = dims_of(node.outputs.front());
  const bool is_single = !dims_of(model_.inputs.front()).empty() && dims_of(model_.inputs.front()).front() == 1;
  if (scores.size() == 3 && out.size() == 3 && is_single) {  // [batch x heads, tokens, tokens of the keys]
    scores.insert(scores.begin(), 1);
    out.insert(out.begin(), 1);
  }
  if (scores.size() != 4) {
    refuse(node,
           "is attention whose heads are not a dimension of their own: export a batch of 1, or scores of four "
           "dimensions");
    return;
  }
  for (const std::string& from : {attention.query, attention.key, attention.value}) {
    if (values_.contains(from) && values_.at(from).layer.valid()) continue;
    refuse(node, fmt::format("attends to \"{}\", which no layer gives", from));
    return;
  }
  const LayerId query = values_.at(attention.query).layer, key = values_.at(attention.key).layer;
  const LayerId value = values_.at(attention.value).layer;
  const bool is_across = scores[2] != scores[3] || (key == value && key != query);
  LayerId from = query, memory = key;
  if (is_across && key != value) memory = join(node.name + ".keys_values", key, value);
  if (!is_across && key != query) from = join(node.name + ".qkv", join(node.name + ".query_key", query, key), value);
  values_[node.name + ".operands"] = {from, given(from)};
  Layer& layer = append(node, is_across ? LayerKind::cross_attention : LayerKind::attention, node.name + ".operands");
  layer.heads = scores[1];
  layer.value_size = out.size() == 4 ? out[3] : 0;
  layer.head_size = layer.value_size;
  layer.out = {scores[2], 1, layer.heads * layer.value_size};
  if (is_across) {
    layer.kv_heads = given(memory).channels / std::max<std::int64_t>(2 * layer.value_size, 1);
    layer.skip = memory;
    layer.key_tokens = scores[3];
  } else {
    layer.kv_heads = (layer.in.channels / std::max<std::int64_t>(layer.value_size, 1) - layer.heads) / 2;
  }
  values_[node.outputs.front()] = {layer.id, layer.out};
  if (layer.value_size == 0) without_shape_.push_back(node.outputs.front());
}

}  // namespace orrery
