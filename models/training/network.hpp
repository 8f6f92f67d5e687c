// A network that really trains: layers from a LayerGraph, parameters and gradients each in one flat vector. float32,
// Eigen inside, no Eigen outside.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/softmax_cross_entropy.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/training/layer_timer.hpp"
#include "sim/base/random.hpp"

namespace orrery {

class Network {
 public:
  /// Throws InvalidInput (naming the layer) when a layer has no implementation. He initialisation (normal, variance 2 /
  /// fan-in; biases 0) from `random`.
  Network(const LayerGraph& graph, Random& random);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  [[nodiscard]] std::span<float> parameters();
  [[nodiscard]] std::span<const float> parameters() const;
  [[nodiscard]] std::span<float> gradients();
  [[nodiscard]] const LayerGraph& graph() const;

  /// Forward only. inputs: batch x sample size, one sample after the other (channels last); labels: one per sample.
  BatchResult evaluate(std::span<const float> inputs, std::span<const std::int32_t> labels);
  /// Forward and backward; gradients() becomes the mean over the batch of the loss's gradient.
  BatchResult forward_backward(std::span<const float> inputs, std::span<const std::int32_t> labels);
  void set_timer(LayerTimer timer);  // empty: none

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
