// One client's training of a FedAvg round, with scratch space that serves client after client.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"

namespace orrery {

class LocalTrainer {
 public:
  LocalTrainer(std::shared_ptr<const ExecutionPlan> plan, const LocalOptions& options);

  /// As train_local().
  LocalResult train(std::span<const float> weights, const Samples& samples, std::span<const std::size_t> indices,
                    Random random);

 private:
  LocalOptions options_;
  TrainingStep step_;
  SampleBatch batch_;
  AlignedVector weights_;
};

}  // namespace orrery
