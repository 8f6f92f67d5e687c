// The layer graph: one description drives execution, FLOP counts, memory and simulation, so that they cannot disagree.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/ids.hpp"

namespace orrery {

enum class LayerKind : std::uint8_t {
  dense,
  convolution,
  max_pool,
  average_pool,
  global_average_pool,
  relu,
  tanh,
  sigmoid,
  gelu,
  flatten,
  batch_norm,
  layer_norm,
  residual_add,
  embedding,
  attention,
  softmax_cross_entropy
};
std::string_view name_of(LayerKind kind);

/// Shape of one sample. Images: height x width x channels (channels last). Vectors: 1 x 1 x features. Sequences: tokens
/// x 1 x hidden.
struct Shape {
  std::int64_t height = 1, width = 1, channels = 1;
  [[nodiscard]] std::int64_t count() const { return height * width * channels; }
  bool operator==(const Shape&) const = default;
};
std::string to_text(const Shape& shape);  // "28x28x1"

struct Layer {
  LayerId id;
  std::string name;
  LayerKind kind = LayerKind::dense;
  Shape in, out;
  std::int64_t kernel = 1, stride = 1, padding = 0, groups = 1;  // convolution, pooling
  std::int64_t heads = 1;                                        // attention
  std::int64_t vocabulary = 0;                                   // embedding
  bool bias = true;
  /// Weights that belong to another layer (tied embedding): counted there, used here.
  bool tied = false;
  /// Layer whose output is this one's input; the previous layer unless a branch starts (residual networks).
  LayerId input;
  /// residual_add: the second operand.
  LayerId skip;
};

struct LayerGraph {
  std::string name, title, source;
  std::string sample;  // what one sample is: image, sequence
  Shape input;
  std::int64_t classes = 0;
  bool executable = false;    // every layer has a real implementation
  std::vector<Layer> layers;  // in execution order; the last is the loss
};

/// Trainable parameters of a layer (0 when tied), and of a graph.
std::int64_t parameters(const Layer& layer);
std::int64_t parameters(const LayerGraph& graph);

/// Reads models/networks/NAME.toml. Problems: unknown network (did you mean), shapes that do not fit (naming the layer
/// and both shapes), ...
LayerGraph read_network(const std::filesystem::path& file, Problems& problems);
/// Names of the networks that ship with Orrery, sorted.
std::vector<std::string> network_names();
/// By name, or by path when the name ends in .toml. Throws InvalidInput.
LayerGraph load_network(const std::string& name);

}  // namespace orrery
