// The layers of a network without its parameters: these come with each call, so that the threads of a step can share
// one set of weights while each keeps its own activations.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/layer_kernel.hpp"
#include "models/kernels/softmax_cross_entropy.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/training/layer_timer.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// Some samples, one after the other, and their labels.
struct Batch {
  std::span<const float> inputs;         // samples x input shape
  std::span<const std::int32_t> labels;  // samples
};

/// One object serves one thread at a time. Memory for activations grows to the largest batch seen and is then kept.
class LayerStack {
 public:
  /// Throws InvalidInput with every layer that has no implementation. Only chains can be executed: each layer reads
  /// the one before it, and the last is softmax_cross_entropy.
  explicit LayerStack(const LayerGraph& graph);

  [[nodiscard]] const LayerGraph& graph() const { return graph_; }
  [[nodiscard]] std::size_t parameter_count() const { return offsets_.back(); }
  /// The part of a flat vector of parameters or gradients that belongs to a layer: weights, then biases.
  template <class Number>
  [[nodiscard]] std::span<Number> part_of(std::size_t layer, std::span<Number> all) const {
    return all.subspan(offsets_[layer], offsets_[layer + 1] - offsets_[layer]);
  }
  /// Samples whose activations fit in about 32 MiB, at least 1.
  [[nodiscard]] std::size_t samples_per_slice() const;

  /// He initialisation: weights normal with variance 2 / fan-in (He et al. 2015), biases 0.
  void initialise(std::span<float> parameters, Random& random) const;

  BatchResult forward(std::span<const float> parameters, const Batch& batch);
  /// gradients = sum over the samples of the gradient of their loss, divided by `divisor`.
  BatchResult forward_backward(std::span<const float> parameters, const Batch& batch, double divisor,
                               std::span<float> gradients);
  void set_timer(LayerTimer timer) { timer_ = std::move(timer); }  // empty: none

 private:
  void reserve(std::size_t samples);
  void run_forward(std::span<const float> parameters, const Batch& batch);
  void run_backward(std::span<const float> parameters, const Batch& batch, double divisor, std::span<float> gradients);
  [[nodiscard]] std::span<const float> output_of(std::size_t layer, const Batch& batch) const;
  [[nodiscard]] std::span<const float> input_of(std::size_t layer, const Batch& batch) const;
  template <class Work>
  void timed(std::size_t layer, Pass pass, Work work) const;

  LayerGraph graph_;
  std::vector<std::unique_ptr<LayerKernel>> kernels_;  // all layers but the loss
  std::vector<std::size_t> offsets_;                   // of each layer's parameters; the last entry is the total
  std::size_t first_trainable_ = 0;                    // layers before it need no backward pass
  std::vector<AlignedVector> outputs_;                 // by layer; empty where the output is the input
  AlignedVector gradient_, next_gradient_;             // of the output and the input of the layer under way
  LayerTimer timer_;
};

}  // namespace orrery
