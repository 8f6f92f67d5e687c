// Centralised mini-batch training, step by step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/batch_loader.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"

namespace orrery {

/// The weights after a step are the same for any number of threads (see BatchRunner).
class CentralTrainer {
 public:
  /// Starts from options.start, or initial_weights(graph, options.seed). `samples` must outlive the trainer.
  CentralTrainer(const LayerGraph& graph, const Samples& samples, const CentralOptions& options);

  /// One step. Throws std::runtime_error naming step and layer when the loss is not finite.
  BatchResult step();

  [[nodiscard]] const std::shared_ptr<const ExecutionPlan>& plan() const { return plan_; }
  /// Parameters, then running statistics.
  [[nodiscard]] std::span<const float> weights() const { return weights_; }
  [[nodiscard]] std::int64_t steps() const { return step_.steps(); }
  [[nodiscard]] std::size_t steps_per_epoch() const { return loader_.batches_per_epoch(); }

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
  BatchLoader loader_;
  AlignedVector weights_;
  TrainingStep step_;
};

/// options.steps steps, with an evaluation on `test` every options.evaluate_every of them and after the last, or until
/// the target is reached.
std::vector<CentralPoint> train(CentralTrainer& trainer, const Samples& test, const CentralOptions& options,
                                const std::function<void(const CentralPoint&)>& progress);

}  // namespace orrery
