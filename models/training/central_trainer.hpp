// Centralised mini-batch training, step by step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/epoch_order.hpp"
#include "models/training/layer_stack.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"

namespace orrery {

/// A batch is cut in shards of shard_samples; the threads share the weights and compute the shards' gradients beside
/// each other; these are added in shard order. The weights after a step are the same for any number of threads. A step
/// of less than 0.2 GFLOP, about 2 ms, stays on one thread: on a busy machine it would wait for the others far longer
/// than they save.
class CentralTrainer {
 public:
  /// Starts from initial_weights(graph, options.seed). `samples` must outlive the trainer.
  CentralTrainer(const LayerGraph& graph, const Samples& samples, const CentralOptions& options);

  /// One step. Throws std::runtime_error naming the step when the loss is not finite; the weights are then those of
  /// before the step.
  BatchResult step();

  [[nodiscard]] std::span<const float> weights() const { return weights_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] std::size_t threads() const { return workers_.size(); }
  [[nodiscard]] std::size_t steps_per_epoch() const { return order_.batches_per_epoch(); }

 private:
  struct Worker {
    LayerStack stack;
    SampleBatch batch;
  };

  BatchResult compute_gradients(std::span<const std::size_t> indices);
  void apply_gradients(std::size_t shards);

  const Samples& samples_;
  OptimizerOptions options_;
  EpochOrder order_;
  AlignedVector weights_;
  Optimizer optimizer_;
  std::vector<Worker> workers_;
  std::vector<AlignedVector> gradients_;  // one per shard
  std::int64_t steps_ = 0;
};

}  // namespace orrery
