// One micro-batch on one pipeline stage: a run of layers with the activations that wait for the backward pass.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

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

/// The shards of the micro-batches between their forward and their backward pass.
class ShardsInFlight {
 public:
  /// `most` shards; between_layers is called while they compute.
  ShardsInFlight(const std::shared_ptr<const ExecutionPlan>& plan, Span layers, int most,
                 const std::function<void()>& between_layers);

  /// One for a micro-batch that begins; no more than `most` at once.
  StageShard& take(int microbatch);
  /// That of a micro-batch that makes its backward pass now, and is free afterwards.
  StageShard& give_back(int microbatch);

 private:
  struct Held {
    int microbatch = 0;
    std::size_t shard = 0;
  };
  std::deque<StageShard> shards_;
  std::vector<std::size_t> free_;
  std::vector<Held> held_;
};

}  // namespace orrery
