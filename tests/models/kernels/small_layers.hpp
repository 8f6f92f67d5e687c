// Layers and chains of layers for tests, with their shapes worked out.
#pragma once

#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct LayerOptions {
  std::int64_t channels = 0;  // of the output: units of dense, filters of convolution; 0: as the input
  std::int64_t kernel = 1, stride = 1, padding = 0;
  bool bias = true;
};

inline Layer small_layer(LayerKind kind, Shape in, const LayerOptions& options = {}) {
  Layer layer;
  layer.name = std::string(name_of(kind));
  layer.kind = kind;
  layer.in = layer.out = in;
  layer.kernel = options.kernel;
  layer.stride = options.stride;
  layer.padding = options.padding;
  layer.bias = options.bias;
  const auto windows = [&](std::int64_t size) {
    return (size + 2 * options.padding - options.kernel) / options.stride + 1;
  };
  if (kind == LayerKind::convolution || kind == LayerKind::max_pool || kind == LayerKind::average_pool) {
    layer.out = {windows(in.height), windows(in.width), in.channels};
  }
  if (kind == LayerKind::global_average_pool) layer.out = {1, 1, in.channels};
  if (kind == LayerKind::flatten) layer.out = {1, 1, in.count()};
  if (options.channels > 0) layer.out.channels = options.channels;
  return layer;
}

struct LayerStep {
  LayerKind kind = LayerKind::dense;
  LayerOptions options;
};

inline LayerGraph chain_network(Shape input, const std::vector<LayerStep>& steps) {
  LayerGraph graph;
  graph.name = "small";
  graph.input = input;
  Shape shape = input;
  for (const LayerStep& step : steps) {
    graph.layers.push_back(small_layer(step.kind, shape, step.options));
    graph.layers.back().id = LayerId(graph.layers.size() - 1);
    if (graph.layers.size() > 1) graph.layers.back().input = LayerId(graph.layers.size() - 2);
    graph.layers.back().name += std::to_string(graph.layers.size());
    shape = graph.layers.back().out;
  }
  graph.classes = shape.channels;
  return graph;
}

/// 784-200-200-10, as models/networks/2nn.toml.
inline LayerGraph two_hidden_layers(std::int64_t units = 200) {
  return chain_network({28, 28, 1}, {{LayerKind::flatten, {}},
                                     {LayerKind::dense, {.channels = units}},
                                     {LayerKind::relu, {}},
                                     {LayerKind::dense, {.channels = units}},
                                     {LayerKind::relu, {}},
                                     {LayerKind::dense, {.channels = 10}},
                                     {LayerKind::softmax_cross_entropy, {}}});
}

}  // namespace orrery
