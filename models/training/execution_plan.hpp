// How a layer graph is executed: its kernels, where each layer's numbers lie, and which layers share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/kernels/layer_kernel.hpp"
#include "models/kernels/loss.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/networks/segments.hpp"
#include "models/training/number_range.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// Where one layer finds its operands. Buffers hold the outputs of layers, slots the gradients of buffers; both are
/// numbered, and sized per sample.
struct LayerSteps {
  std::optional<std::size_t> buffer;                   // of the output; none: the network's input (a view of it)
  std::optional<std::size_t> input, second;            // buffers read; none: the network's input
  NumberRange parameters, state, tied_table;           // in the vector of weights
  NumberRange tied_gradient;                           // tied_table, unless its embedding is frozen
  std::optional<std::size_t> slot;                     // of the output's gradient; none: no backward pass
  std::optional<std::size_t> input_slot, second_slot;  // none: nobody needs that gradient
  Update parameter_update = Update::overwrite, input_update = Update::overwrite, second_update = Update::overwrite;
  bool trains = false;  // has parameters that are not frozen
};

/// Memory for the numbers of one buffer, or of what one layer keeps.
struct MemoryPlace {
  std::int64_t numbers = 0;              // per sample
  std::optional<std::int64_t> shared{};  // place in the memory that all segments use in turn, per sample; none: its own
};

/// A part of a layer's parameters whose gradient is computed over all shards at once (see parameter_blocks()).
struct ParameterBlock {
  std::size_t layer = 0;
  std::int64_t block = 0;
};

/// Why a network can only be simulated: for every reason the first layer that gives it. Empty when every layer has a
/// kernel and embedding tables read numbers of the sample itself.
std::vector<std::string> obstacles_to_execution(const LayerGraph& graph);

/// The vector of weights of a network: the parameters of every layer in order, then the state (running statistics) of
/// every layer in order. Gradients are as long as the parameters alone. Immutable: one plan serves all threads.
class ExecutionPlan {
 public:
  /// Throws InvalidInput naming the layer when the graph does not end with its only loss, or when layers have no
  /// kernel.
  explicit ExecutionPlan(LayerGraph graph, Recompute recompute = Recompute::none);

  [[nodiscard]] const LayerGraph& graph() const { return graph_; }
  [[nodiscard]] std::size_t parameter_count() const { return parameters_; }
  [[nodiscard]] std::size_t weight_count() const { return parameters_ + state_; }  // parameters and state
  [[nodiscard]] std::size_t kernels() const { return kernels_.size(); }            // all layers but the loss
  [[nodiscard]] const LayerKernel& kernel(std::size_t layer) const { return *kernels_[layer]; }
  [[nodiscard]] const LayerSteps& steps(std::size_t layer) const { return steps_[layer]; }
  [[nodiscard]] const Loss& loss() const { return *loss_; }
  [[nodiscard]] std::optional<std::size_t> loss_buffer() const { return steps_.back().input; }
  [[nodiscard]] std::optional<std::size_t> loss_slot() const { return steps_.back().input_slot; }

  [[nodiscard]] const std::vector<MemoryPlace>& buffers() const { return buffers_; }
  [[nodiscard]] const std::vector<MemoryPlace>& kept() const { return kept_; }  // by layer
  [[nodiscard]] std::int64_t shared_numbers() const { return shared_; }         // per sample
  /// First layers of the segments. One segment: nothing is recomputed.
  [[nodiscard]] const std::vector<std::size_t>& segments() const { return segments_; }
  [[nodiscard]] std::size_t segment_of(std::size_t layer) const;
  [[nodiscard]] const std::vector<std::int64_t>& slots() const { return slots_; }
  /// Layers that need sums over the whole batch, in order.
  [[nodiscard]] const std::vector<std::size_t>& batch_wide() const { return batch_wide_; }
  /// Runs of parameters that are not frozen, joined where they touch: what an optimizer may change.
  [[nodiscard]] const std::vector<NumberRange>& trainable() const { return trainable_; }

  /// Of the layers that train; none where segments are recomputed, since these layers' inputs must stay to the end.
  [[nodiscard]] const std::vector<ParameterBlock>& blocks() const { return blocks_; }
  [[nodiscard]] bool in_blocks(std::size_t layer) const;

  /// Samples whose activations fit in about 32 MiB, at least 1.
  [[nodiscard]] std::size_t samples_per_slice() const;
  /// batch_shards() of the graph: so results do not depend on the number of threads.
  [[nodiscard]] std::size_t shards(std::size_t batch) const;

  /// First weights and state. weights: weight_count().
  void initialise(std::span<float> weights, Random& random) const;

 private:
  void place_parameters();
  void place_blocks();
  void place_outputs();
  void place_gradients();
  void share_segments();

  LayerGraph graph_;
  std::vector<std::unique_ptr<LayerKernel>> kernels_;
  std::unique_ptr<Loss> loss_;
  std::vector<LayerSteps> steps_;   // one per layer, the loss included
  std::vector<std::size_t> owner_;  // by buffer: the layer that writes it first
  std::vector<MemoryPlace> buffers_, kept_;
  std::vector<std::int64_t> slots_;  // numbers per sample
  std::vector<std::size_t> segments_;
  std::int64_t shared_ = 0;
  std::vector<std::size_t> batch_wide_;
  std::vector<NumberRange> trainable_;
  std::size_t parameters_ = 0, state_ = 0;
  std::vector<ParameterBlock> blocks_;
  double flops_per_sample_ = 0, shard_worth_ = 0;
};

}  // namespace orrery
