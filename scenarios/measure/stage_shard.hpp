// One micro-batch on one pipeline stage: a run of layers with the activations that wait for the backward pass.
#pragma once

#include <memory>
#include <span>

#include "models/training/shard_runner.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// Batch normalisation takes its statistics from the micro-batch, as GPipe does while it trains (Huang et al. 2019).
class StageShard {
 public:
  StageShard(std::shared_ptr<const ExecutionPlan> plan, Span layers);

  [[nodiscard]] ShardRunner& runner() { return runner_; }
  void start(std::span<const float> weights, const Batch& microbatch, std::uint64_t seed);
  void forward();
  /// Adds to `gradients`. The loss gradient, or the gradients across the stage's end, must be there.
  void backward(std::span<float> gradients);
  /// Brings the running statistics of the stage's layers up to date.
  void update_state(std::span<float> weights) const;

 private:
  [[nodiscard]] std::size_t end() const;

  std::shared_ptr<const ExecutionPlan> plan_;
  Span layers_;
  std::vector<std::size_t> batch_wide_;  // of the stage's layers
  ShardRunner runner_;
  BatchSums sums_;
  BatchContext context_;
};

}  // namespace orrery
