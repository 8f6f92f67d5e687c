#include "models/networks/layer_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>

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

std::int64_t router_parameters(const Layer& layer) {
  return layer.in.channels * router_outputs(layer) + (layer.bias ? layer.experts : 0);
}

std::int64_t interacting_vectors(const Layer& layer) {
  const auto products = static_cast<double>(layer.out.channels - layer.in.channels);
  return std::llround((1.0 + std::sqrt(1.0 + 8.0 * products)) / 2.0);
}

bool is_depthwise(const Layer& layer) {
  return layer.kind == LayerKind::convolution && layer.groups > 1 && layer.groups == layer.in.channels;
}

std::int64_t expert_weight_tensors(const Layer& layer) {
  if (layer.kind != LayerKind::mixture_of_experts) return 0;
  return layer.experts * (layer.gated ? 3 : 2) * (layer.bias ? 2 : 1);
}

std::int64_t weight_tensors(const Layer& layer) {
  const std::int64_t bias = layer.bias ? 1 : 0;
  switch (layer.kind) {
    case LayerKind::dense:
      return (layer.tied ? 0 : 1) + bias;
    case LayerKind::convolution:
    case LayerKind::transposed_convolution:
      return 1 + bias;
    case LayerKind::batch_norm:
    case LayerKind::group_norm:
    case LayerKind::layer_norm:
      return 2;
    case LayerKind::rms_norm:
    case LayerKind::position_embedding:
    case LayerKind::class_token:
      return 1;
    case LayerKind::embedding:
      return 1 + (layer.positions > 0 ? 1 : 0) + (layer.segments > 0 ? 1 : 0);
    case LayerKind::embedding_tables:
      return static_cast<std::int64_t>(layer.tables.size());
    case LayerKind::lstm:
    case LayerKind::gru:
      return 4;
    case LayerKind::mixture_of_experts:
      return (1 + bias) * (1 + layer.shared_experts * (layer.gated ? 3 : 2)) + (layer.shared_gate ? 1 : 0) +
             expert_weight_tensors(layer);
    case LayerKind::attention:
      return (layer.positions > 0 ? 1 : 0) + (layer.sinks ? 1 : 0) + (layer.distance_size > 0 ? 1 : 0);
    default:
      return 0;
  }
}

namespace {

/// A product of numbers from 0 on that stays at the largest number where it would pass it, for size_limits to refuse.
std::int64_t product(std::initializer_list<std::int64_t> factors) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  std::int64_t whole = 1;
  for (const std::int64_t factor : factors) {
    if (factor != 0 && whole > largest / factor) return largest;
    whole *= factor;
  }
  return whole;
}

}  // namespace

std::int64_t weights(const Layer& layer) {
  const std::int64_t in = layer.in.channels, out = layer.out.channels;
  switch (layer.kind) {
    case LayerKind::dense:
      return product({in, out});
    case LayerKind::convolution:
      return product({kernel_area(layer), in / layer.groups, out});
    case LayerKind::transposed_convolution:
      return product({layer.kernel, layer.kernel, in, out});
    case LayerKind::embedding:
      return product({layer.vocabulary + layer.positions + layer.segments, out});
    case LayerKind::embedding_tables:
      return product({std::accumulate(layer.tables.begin(), layer.tables.end(), std::int64_t{0}), out});
    case LayerKind::position_embedding:
      return product({layer.in.height, in});
    case LayerKind::lstm:
      return product({4, out, in + out});
    case LayerKind::gru:
      return product({3, out, in + out});
    case LayerKind::batch_norm:
    case LayerKind::group_norm:
    case LayerKind::layer_norm:
      return 2 * out;
    case LayerKind::mixture_of_experts:
      return product({in, router_outputs(layer) +
                              (layer.experts + layer.shared_experts) * (layer.gated ? 3 : 2) * layer.expert_units});
    case LayerKind::rms_norm:
      return out / layer.heads;
    case LayerKind::class_token:
      return out;
    case LayerKind::attention:
      return product(
          {layer.positions + (layer.sinks ? 1 : 0) + product({layer.distance_size, head_size(layer)}), layer.heads});
    default:
      return 0;
  }
}

namespace {

std::int64_t biases(const Layer& layer) {
  if (!layer.bias) return 0;
  switch (layer.kind) {
    case LayerKind::dense:
    case LayerKind::convolution:
    case LayerKind::transposed_convolution:
      return layer.out.channels;
    case LayerKind::lstm:
      return 4 * layer.out.channels;
    case LayerKind::gru:
      return 6 * layer.out.channels;
    case LayerKind::mixture_of_experts:
      return layer.experts +
             (layer.experts + layer.shared_experts) * ((layer.gated ? 2 : 1) * layer.expert_units + layer.out.channels);
    default:
      return 0;
  }
}

template <class Count>
std::int64_t sum(const LayerGraph& graph, const Count& count) {
  return std::accumulate(graph.layers.begin(), graph.layers.end(), std::int64_t{0},
                         [&](std::int64_t total, const Layer& layer) { return total + count(layer); });
}

}  // namespace

std::int64_t parameters(const Layer& layer) {
  return (layer.tied ? 0 : weights(layer)) + biases(layer);
}

std::int64_t parameters(const LayerGraph& graph) {
  return sum(graph, [](const Layer& layer) { return parameters(layer); });
}

std::int64_t trainable_parameters(const Layer& layer) {
  return layer.frozen ? 0 : parameters(layer);
}

std::int64_t trainable_parameters(const LayerGraph& graph) {
  return sum(graph, [](const Layer& layer) { return trainable_parameters(layer); });
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
