// A network that really trains: layers from a LayerGraph, parameters and gradients each in one flat vector. float32,
// Eigen inside, no Eigen outside.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/cost/layer_cost.hpp"
#include "models/networks/layer_graph.hpp"
#include "sim/base/random.hpp"

namespace orrery {

struct BatchResult {
  double loss_sum = 0;       // sum over the samples of the cross entropy, in nats
  std::int64_t correct = 0;  // samples whose largest score is the label's
};

/// Called after each layer's pass when profiling: layer index, pass, seconds.
using LayerTimer = std::function<void(std::size_t, Pass, double)>;

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
