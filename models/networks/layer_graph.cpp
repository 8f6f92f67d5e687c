#include "models/networks/layer_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace orrery {

const std::vector<std::string>& layer_kind_names() {
  static const std::vector<std::string> names = {"dense",
                                                 "convolution",
                                                 "transposed_convolution",
                                                 "upsample",
                                                 "max_pool",
                                                 "average_pool",
                                                 "global_average_pool",
                                                 "batch_norm",
                                                 "group_norm",
                                                 "layer_norm",
                                                 "rms_norm",
                                                 "relu",
                                                 "tanh",
                                                 "sigmoid",
                                                 "gelu",
                                                 "silu",
                                                 "swiglu",
                                                 "geglu",
                                                 "multiply",
                                                 "dropout",
                                                 "embedding",
                                                 "embedding_tables",
                                                 "position_embedding",
                                                 "class_token",
                                                 "memory",
                                                 "attention",
                                                 "cross_attention",
                                                 "mixture_of_experts",
                                                 "lstm",
                                                 "gru",
                                                 "last_token",
                                                 "flatten",
                                                 "rows_to_tokens",
                                                 "pixels_to_tokens",
                                                 "tokens_to_pixels",
                                                 "reshape",
                                                 "slice",
                                                 "channel_shuffle",
                                                 "residual_add",
                                                 "add_vector",
                                                 "dot_interaction",
                                                 "concatenate",
                                                 "softmax_cross_entropy",
                                                 "mean_squared_error",
                                                 "binary_cross_entropy",
                                                 "detection_loss"};
  return names;
}

std::string_view name_of(LayerKind kind) {
  return layer_kind_names().at(static_cast<std::size_t>(kind));
}

bool is_loss(LayerKind kind) {
  return kind == LayerKind::softmax_cross_entropy || kind == LayerKind::mean_squared_error ||
         kind == LayerKind::binary_cross_entropy || kind == LayerKind::detection_loss;
}

bool is_head(const LayerGraph& graph, const Layer& layer) {
  return layer.kind == LayerKind::dense && layer.out.channels == graph.classes &&
         layer.id.index() + 2 == graph.layers.size();
}

LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer) {
  if (!layer.tied) return {};
  for (std::size_t i = layer.id.index(); i-- > 0;) {
    if (graph.layers[i].kind == LayerKind::embedding) return LayerId(i);
  }
  return {};
}

bool attends(LayerKind kind) {
  return kind == LayerKind::attention || kind == LayerKind::cross_attention;
}

bool is_recurrent(LayerKind kind) {
  return kind == LayerKind::lstm || kind == LayerKind::gru;
}

bool is_view(LayerKind kind) {
  return kind == LayerKind::flatten || kind == LayerKind::rows_to_tokens || kind == LayerKind::pixels_to_tokens ||
         kind == LayerKind::tokens_to_pixels || kind == LayerKind::reshape;
}

bool has_second_operand(LayerKind kind) {
  return kind == LayerKind::residual_add || kind == LayerKind::concatenate || kind == LayerKind::multiply ||
         kind == LayerKind::cross_attention || kind == LayerKind::add_vector || kind == LayerKind::dot_interaction;
}

bool has_weights(LayerKind kind) {
  switch (kind) {
    case LayerKind::dense:
    case LayerKind::convolution:
    case LayerKind::transposed_convolution:
    case LayerKind::batch_norm:
    case LayerKind::layer_norm:
    case LayerKind::rms_norm:
    case LayerKind::embedding:
    case LayerKind::embedding_tables:
    case LayerKind::position_embedding:
    case LayerKind::class_token:
    case LayerKind::lstm:
    case LayerKind::gru:
    case LayerKind::group_norm:
    case LayerKind::mixture_of_experts:
      return true;
    default:
      return false;
  }
}

std::string to_text(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.height, shape.width, shape.channels);
}

std::int64_t kernel_area(const Layer& layer) {
  return layer.kernel * (layer.kernel_width > 0 ? layer.kernel_width : layer.kernel);
}

std::int64_t head_size(const Layer& layer) {
  if (layer.head_size > 0) return layer.head_size;
  const bool is_across = layer.kind == LayerKind::cross_attention;  // whose input is the queries alone
  return (is_across ? layer.in.channels : layer.out.channels) / layer.heads;
}

std::int64_t value_size(const Layer& layer) {
  return layer.value_size > 0 ? layer.value_size : head_size(layer);
}

std::int64_t key_tokens(const Layer& layer) {
  return layer.key_tokens > 0 ? layer.key_tokens : layer.in.height;
}

std::int64_t seen_tokens(const Layer& layer) {
  const std::int64_t all = key_tokens(layer);
  return layer.window > 0 ? std::min(layer.window, all) : all;
}

std::int64_t router_outputs(const Layer& layer) {
  return layer.experts + (layer.shared_gate ? 1 : 0);
}

std::int64_t interacting_vectors(const Layer& layer) {
  const auto products = static_cast<double>(layer.out.channels - layer.in.channels);
  return std::llround((1.0 + std::sqrt(1.0 + 8.0 * products)) / 2.0);
}

bool is_depthwise(const Layer& layer) {
  return layer.kind == LayerKind::convolution && layer.groups > 1 && layer.groups == layer.in.channels;
}

std::vector<bool> needs_gradient(const LayerGraph& graph) {
  std::vector<bool> needs(graph.layers.size(), false);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const bool reads_one =
        (layer.input.valid() && needs[layer.input.index()]) || (layer.skip.valid() && needs[layer.skip.index()]);
    needs[i] = reads_one || (!layer.frozen && (layer.tied || parameters(layer) > 0));
  }
  return needs;
}

}  // namespace orrery
