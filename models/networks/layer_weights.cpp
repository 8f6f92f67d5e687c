// How many weights a layer has, and in how many tensors.
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "models/networks/layer_graph.hpp"

namespace orrery {
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

std::int64_t router_parameters(const Layer& layer) {
  return layer.in.channels * router_outputs(layer) + (layer.bias ? layer.experts : 0);
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

}  // namespace orrery
