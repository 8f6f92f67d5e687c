// The loss of a model on one client's samples, with scratch space that serves client after client. Internal to this
// folder.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "models/training/sample_batch.hpp"
#include "models/training/shard_runner.hpp"

namespace orrery {

class ClientLoss {
 public:
  explicit ClientLoss(std::shared_ptr<const ExecutionPlan> plan) : plan_(std::move(plan)), runner_(plan_) {}

  /// Mean over all predictions of these samples, at least one.
  double mean(std::span<const float> weights, const Samples& samples, std::span<const std::size_t> indices);

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
  ShardRunner runner_;
  SampleBatch batch_;
};

}  // namespace orrery
