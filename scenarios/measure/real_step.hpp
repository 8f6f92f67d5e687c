// One rank's part in a way of training, executed for real.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/training/optimizer.hpp"
#include "models/training/shard_runner.hpp"
#include "scenarios/measure/communicator.hpp"
#include "scenarios/measure/step_recorder.hpp"
#include "scenarios/plan.hpp"

namespace orrery {

/// What a strategy is executed with. Owns nothing but the plan: the rest must outlive its RealStep.
struct RealJob {
  const Job& job;  // the same that the simulation plans
  std::shared_ptr<const ExecutionPlan> plan;
  const OptimizerOptions& optimizer;
  std::span<const float> start;  // the first weights, plan->weight_count() numbers
  Communicator& communicator;
  StepRecorder& recorder;
  std::size_t workers = 1;  // threads of one rank
};

class RealStep {
 public:
  virtual ~RealStep() = default;

  /// One optimizer step on the whole batch, of which this rank works on its part. Returns the losses that this rank
  /// has: over all ranks each prediction is counted once. Throws std::runtime_error when the loss is not finite.
  virtual BatchResult run(const Batch& batch) = 0;

  /// The trained weights, plan->weight_count() numbers; complete on rank 0. Every rank must call it.
  virtual std::vector<float> weights() = 0;
};

/// Ranks that a strategy takes: its devices, and one more for a parameter server.
int ranks_of(const StrategySpec& strategy);

/// By the kind of the strategy. For ranks below ranks_of(). Throws Infeasible for what cannot be executed, on every
/// rank.
std::unique_ptr<RealStep> make_real_step(const RealJob& job);

// One file each. single: data parallelism of one.
std::unique_ptr<RealStep> make_data_parallel(const RealJob& job);
std::unique_ptr<RealStep> make_staged(const RealJob& job);           // pipeline; model split = layers
std::unique_ptr<RealStep> make_tensor_parallel(const RealJob& job);  // model split = tensor

// What they share.

/// Seed of the draws of dropout in step `step` (from 0) on rank `rank`.
std::uint64_t draws_of_step(std::uint64_t seed, std::int64_t step, int rank);
/// The loss is the mean over the predictions of the whole batch: what gradients are divided by.
double mean_divisor(const ExecutionPlan& plan, std::size_t batch_samples);
/// Throws std::runtime_error when the loss is not finite. layer: the first whose output is so, asked for only then.
void require_finite(const BatchResult& result, std::int64_t step, const OptimizerOptions& optimizer,
                    const std::function<std::string()>& layer);
/// Throws Infeasible when gradients are clipped: `how` tells how their norm is spread.
void refuse_clipping(const OptimizerOptions& optimizer, const std::string& how);

}  // namespace orrery
