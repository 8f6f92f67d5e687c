// One update of the weights: forward, backward, optimizer. What central, federated and profiled training share.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/training/batch_runner.hpp"
#include "models/training/optimizer.hpp"

namespace orrery {

enum class UpdateStyle : std::uint8_t {
  fastest,  // in place where that gives the same mathematics
  separate  // gradients first, then the optimizer: as any training must that exchanges gradients
};

struct TrainingOptions {
  OptimizerOptions optimizer{};
  int accumulation = 1;     // micro-steps per update: the batch is worked on in so many parts, one after the other
  std::uint64_t seed = 1;   // of the draws of dropout
  std::size_t workers = 1;  // threads
  UpdateStyle update = UpdateStyle::fastest;
  Storage storage =
      Storage::fp32;  // bf16: rounded weights, activations and gradients; run()'s weights are the float32 masters
};

/// What a step does beside minimising the loss. proximal (w - anchor) is the gradient of a part of what is minimised:
/// added to the loss's gradient, before clipping and weight decay. The shift corrects the step itself: w -= rate x
/// shift after the optimizer's update (for plain SGD the same as adding it to the gradient; momentum would multiply
/// it).
struct StepTerm {
  double proximal = 0;
  std::span<const float> anchor{};  // as long as the parameters; read where proximal is not 0
  std::span<const float> shift{};   // as long as the parameters; empty: none
};

/// The error of a loss that is infinite or no number. layer: the first whose output is so.
std::runtime_error diverged(std::int64_t step, const std::string& layer, double rate);

/// Plain SGD in float32 on a batch of one shard without accumulation, clipping, weight decay and gradient term adds
/// each layer's gradient to its weights as soon as it is known (it saves a pass over gradients and weights): other bits
/// than the general way, chosen by options and batch alone, never by the number of threads.
class TrainingStep {
 public:
  TrainingStep(std::shared_ptr<const ExecutionPlan> plan, const TrainingOptions& options);

  /// The mean gradient over the batch, and one update. Throws std::runtime_error naming step and the first layer whose
  /// output is not finite when the loss is not finite.
  BatchResult run(std::span<float> weights, const Batch& batch);

  /// As if made anew, with another seed, learning rate and term: another client's training begins. What the term
  /// refers to must stay until the last step.
  void restart(std::uint64_t seed, double learning_rate, const StepTerm& term);

  /// Layers' passes as they are timed; the optimizer's time, measured as a whole with the addition of the shards'
  /// gradients, goes to the layers by their parameters.
  void set_timer(WorkerTimer timer);

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] BatchRunner& runner() { return runner_; }

 private:
  [[nodiscard]] bool adds_in_place() const;
  BatchResult run_in_place(std::span<float> weights, const Batch& batch, PassOptions pass);
  BatchResult run_separately(std::span<float> weights, const Batch& batch, PassOptions pass);
  void add_shift(std::span<float> weights) const;
  std::span<float> weights_seen(std::span<float> weights);
  void update(std::span<float> weights);
  std::span<float> add_gradients(const NumberRange& block, std::span<const float> weights);
  float clip_gradients(std::span<const float> weights);
  void report_update(double seconds) const;
  void require_finite(const BatchResult& result);

  TrainingOptions options_;
  BatchRunner runner_;
  Optimizer optimizer_;
  std::vector<std::span<float>> gradients_;  // of the optimizer's blocks, added up over the shards
  std::vector<double> squares_;              // clipping: sums of squares of the blocks' gradients
  AlignedVector rounded_;                    // bf16: the weights as the layers see them
  StepTerm term_;
  WorkerTimer timer_;
  std::size_t update_workers_ = 1;
  std::int64_t steps_ = 0;
};

}  // namespace orrery
