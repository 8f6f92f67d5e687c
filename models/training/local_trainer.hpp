// One client's local training, with scratch space that serves client after client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"

namespace orrery {

/// Whole passes over the local samples, or, where `steps` > 0, so many mini-batches.
struct LocalWork {
  int epochs = 1;
  std::int64_t steps = 0;
};

struct LocalResult {
  double train_loss = 0;     // mean over all predictions of all local steps
  std::int64_t samples = 0;  // size of the local set
  std::int64_t steps = 0;
};

class LocalTrainer {
 public:
  /// The learning rate in `options` is replaced by train()'s.
  LocalTrainer(std::shared_ptr<const ExecutionPlan> plan, const LocalOptions& options);

  struct Job {
    std::span<const float> start;  // parameters, then running statistics
    const Samples& samples;
    std::span<const std::size_t> indices;  // the client's own; at least one
    LocalWork work;
    double learning_rate = 0.1;
    StepTerm term{};
  };
  /// Mini-batch steps from `start` (McMahan et al. 2017, ClientUpdate) on the client's samples, in an order drawn from
  /// `random` for every pass. The trained numbers stand in weights() until the next call.
  LocalResult train(const Job& job, Random random);
  [[nodiscard]] std::span<const float> weights() const { return weights_; }

 private:
  LocalOptions options_;
  TrainingStep step_;
  SampleBatch batch_;
  AlignedVector weights_;
};

}  // namespace orrery
