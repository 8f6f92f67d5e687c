// The book of a run: server steps, the learning curve, progress, and when enough is enough.
#pragma once

#include <cstdint>

#include "scenarios/federated/client_work.hpp"
#include "scenarios/way.hpp"

namespace orrery {

class Journal {
 public:
  Journal(const FederatedJob& job, Way& way, const Progress& progress);

  /// What evaluations look at: the mean of these slots; the global weights unless said otherwise.
  void evaluate_mean_of(SlotRange slots) { evaluated_ = slots; }

  /// Server steps so far: the number of the one under way.
  [[nodiscard]] std::int64_t steps() const { return static_cast<std::int64_t>(way_.federated.steps.size()); }
  /// Whether all steps are done or the target is reached.
  [[nodiscard]] bool finished() const;
  /// Whether the weights after the step under way will be evaluated.
  [[nodiscard]] bool evaluation_due() const;

  /// Counts what clients trained on for the step under way.
  void add_samples(double samples) { samples_ += samples; }
  /// The step that began with the end of the last one has ended now; its times but `begin` and `end` are given.
  /// Evaluates the weights when that is due.
  void end_step(ServerStep step, double train_loss, Seconds now);
  /// Fills what the way says of the whole run.
  void finish(const ClientWork& work);

 private:
  void evaluate(double train_loss, Seconds now);
  void report() const;

  const FederatedJob& job_;
  Way& way_;
  const Progress& progress_;
  SlotRange evaluated_;
  double samples_ = 0;  // trained on so far
};

}  // namespace orrery
