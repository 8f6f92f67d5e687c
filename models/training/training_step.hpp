// One update of the weights: forward, backward, optimizer. What central, federated and profiled training share.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "models/training/batch_runner.hpp"
#include "models/training/optimizer.hpp"

namespace orrery {

struct TrainingOptions {
  OptimizerOptions optimizer{};
  int accumulation = 1;     // micro-steps per update: the batch is worked on in so many parts, one after the other
  std::uint64_t seed = 1;   // of the draws of dropout
  std::size_t workers = 1;  // threads
};

/// Plain SGD on a batch of one shard without accumulation, clipping and weight decay adds each layer's gradient to its
/// weights as soon as it is known (it saves a pass over gradients and weights): other bits than the general way, chosen
/// by options and batch alone, never by the number of threads.
class TrainingStep {
 public:
  TrainingStep(std::shared_ptr<const ExecutionPlan> plan, const TrainingOptions& options);

  /// The mean gradient over the batch, and one update. Throws std::runtime_error naming step and the first layer whose
  /// output is not finite when the loss is not finite.
  BatchResult run(std::span<float> weights, const Batch& batch);

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] BatchRunner& runner() { return runner_; }

 private:
  void update(std::span<float> weights);

  TrainingOptions options_;
  BatchRunner runner_;
  Optimizer optimizer_;
  std::int64_t steps_ = 0;
};

}  // namespace orrery
