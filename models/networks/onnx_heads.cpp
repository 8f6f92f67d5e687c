// Attention of ONNX nodes: sizes of heads from the dimensions of the values, operands side by side.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/networks/onnx_layers.hpp"

namespace orrery {

std::optional<OnnxLayers::Heads> OnnxLayers::heads_of(const OnnxNode& node, const OnnxAttention& attention) {
  std::vector<std::int64_t> scores = dims_of(attention.scores), out = dims_of(node.outputs.front());
  const std::vector<std::int64_t> batch = dims_of(model_.inputs.front());
  const bool is_single = !batch.empty() && batch.front() == 1;
  if (scores.size() == 3 && out.size() == 3 && is_single) {  // [batch x heads, tokens, tokens of the keys]
    scores.insert(scores.begin(), 1);
    out.insert(out.begin(), 1);
  }
  if (scores.size() != 4) {
    refuse(node,
           "is attention whose heads are not a dimension of their own: export a batch of 1, or scores of four "
           "dimensions");
    return std::nullopt;
  }
  if (!knows(attention.scores) || !knows(attention.queries) || !knows(node.outputs.front())) return std::nullopt;
  if (out.size() != 4 || scores[1] < 1) {
    without_shape_.push_back(node.outputs.front());
    return std::nullopt;
  }
  return Heads{scores[1], scores[2], scores[3], dims_of(attention.queries).back(), out[attention.value_axis]};
}

LayerId OnnxLayers::as_tokens(const std::string& name, const Value& value, std::int64_t tokens) {
  const Shape wanted = {tokens, 1, value.shape.count() / tokens};
  if (value.shape == wanted) return value.layer;
  Layer layer;
  layer.id = LayerId(graph_.layers.size());
  layer.name = unique(name);
  layer.kind = LayerKind::flatten;
  layer.input = value.layer;
  layer.in = value.shape;
  layer.out = wanted;
  graph_.layers.push_back(std::move(layer));
  return graph_.layers.back().id;
}

std::optional<std::int64_t> OnnxLayers::key_heads(const OnnxNode& node, const Heads& sizes, std::int64_t channels,
                                                  std::int64_t queries) {
  const std::int64_t each = sizes.head_size + sizes.value_size, left = channels - queries;
  const std::int64_t heads = left / each;
  if (heads >= 1 && left % each == 0 && sizes.heads % heads == 0) return heads;
  refuse(node,
         fmt::format("is attention of {} heads, {} numbers for a key and {} for a value, which do not come out even "
                     "with the {} channels it reads",
                     sizes.heads, sizes.head_size, sizes.value_size, channels),
         "describe the network in a .toml");
  return std::nullopt;
}

std::optional<OnnxLayers::Attended> OnnxLayers::attended(const OnnxNode& node, const OnnxAttention& attention,
                                                         const Heads& sizes) {
  std::map<std::string, LayerId> layers;
  const auto take = [&](const std::string& from, const std::string& part, std::int64_t tokens) {
    if (layers.contains(from)) return true;
    if (!values_.contains(from) || !values_.at(from).layer.valid()) {
      refuse(node, fmt::format("attends to \"{}\", which no layer gives", from));
      return false;
    }
    const Value& value = values_.at(from);
    if (value.shape.count() % tokens != 0) {
      refuse(node, fmt::format("attends to \"{}\", whose {} are not {} tokens", from, to_text(value.shape), tokens));
      return false;
    }
    layers[from] = as_tokens(node.name + part, value, tokens);
    return true;
  };
  if (!take(attention.query, ".queries", sizes.queries) || !take(attention.key, ".keys", sizes.keys) ||
      !take(attention.value, ".values", sizes.keys)) {
    return std::nullopt;
  }
  return Attended{layers[attention.query], layers[attention.key], layers[attention.value]};
}

void OnnxLayers::add_attention(const OnnxNode& node, const OnnxAttention& attention) {
  const auto sizes = heads_of(node, attention);
  const auto read = sizes ? attended(node, attention, *sizes) : std::nullopt;
  if (!read) return;
  const auto [query, key, value] = *read;
  const bool is_across = sizes->queries != sizes->keys || (key == value && key != query);
  LayerId from = query, memory = key;
  if (is_across && key != value) memory = join(node.name + ".keys_values", key, value);
  if (!is_across && key != query) from = join(node.name + ".qkv", join(node.name + ".query_key", query, key), value);
  const auto kv_heads = is_across ? key_heads(node, *sizes, given(memory).channels, 0)
                                  : key_heads(node, *sizes, given(from).channels, sizes->heads * sizes->head_size);
  if (!kv_heads) return;
  values_[node.name + ".operands"] = {from, given(from)};
  Layer& layer = append(node, is_across ? LayerKind::cross_attention : LayerKind::attention, node.name + ".operands");
  layer.heads = sizes->heads;
  layer.kv_heads = *kv_heads;
  layer.head_size = sizes->head_size;
  layer.value_size = sizes->value_size;
  layer.out = {sizes->queries, 1, layer.heads * layer.value_size};
  if (is_across) layer.skip = memory;
  if (is_across) layer.key_tokens = sizes->keys;
  values_[node.outputs.front()] = {layer.id, layer.out};
}

}  // namespace orrery
