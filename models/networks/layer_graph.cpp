#include "models/networks/layer_graph.hpp"

#include <fmt/format.h>

#include <numeric>

namespace orrery {

const std::vector<std::string>& layer_kind_names() {
  static const std::vector<std::string> names = {"dense",
                                                 "convolution",
                                                 "max_pool",
                                                 "average_pool",
                                                 "global_average_pool",
                                                 "relu",
                                                 "tanh",
                                                 "sigmoid",
                                                 "gelu",
                                                 "flatten",
                                                 "batch_norm",
                                                 "layer_norm",
                                                 "residual_add",
                                                 "embedding",
                                                 "attention",
                                                 "softmax_cross_entropy"};
  return names;
}

std::string_view name_of(LayerKind kind) {
  return layer_kind_names().at(static_cast<std::size_t>(kind));
}

std::string to_text(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.height, shape.width, shape.channels);
}

std::int64_t weights(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::dense:
      return layer.in.channels * layer.out.channels;
    case LayerKind::convolution:
      return layer.kernel * layer.kernel * (layer.in.channels / layer.groups) * layer.out.channels;
    case LayerKind::embedding:
      return (layer.vocabulary + layer.positions + layer.segments) * layer.out.channels;
    case LayerKind::batch_norm:
    case LayerKind::layer_norm:
      return 2 * layer.out.channels;
    default:
      return 0;
  }
}

std::int64_t parameters(const Layer& layer) {
  const bool has_bias = layer.bias && (layer.kind == LayerKind::dense || layer.kind == LayerKind::convolution);
  return (layer.tied ? 0 : weights(layer)) + (has_bias ? layer.out.channels : 0);
}

std::int64_t parameters(const LayerGraph& graph) {
  return std::accumulate(graph.layers.begin(), graph.layers.end(), std::int64_t{0},
                         [](std::int64_t sum, const Layer& layer) { return sum + parameters(layer); });
}

bool is_executable(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::dense:
      return !layer.tied && layer.in.height == 1;
    case LayerKind::convolution:
      return layer.groups == 1;
    case LayerKind::average_pool:
      return layer.padding == 0;
    case LayerKind::softmax_cross_entropy:
      return layer.in.height == 1;
    case LayerKind::max_pool:
    case LayerKind::global_average_pool:
    case LayerKind::relu:
    case LayerKind::tanh:
    case LayerKind::sigmoid:
    case LayerKind::flatten:
      return true;
    default:
      return false;
  }
}

}  // namespace orrery
