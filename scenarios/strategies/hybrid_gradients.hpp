// When the gradients of a stage are exchanged, and what of that is hidden.
#pragma once

#include "scenarios/strategies/hybrid_pass.hpp"
#include "scenarios/strategies/hybrid_step.hpp"

namespace orrery {

class GradientTiming {
 public:
  GradientTiming(const HybridStep& step, int stage) : step_(step), stage_(stage) {}

  /// ZeRO-2 and 3 without a pipeline exchange states with every micro-batch, not at the end.
  [[nodiscard]] bool with_passes() const;
  /// Interleaved, where software exchanges beside passes at all: each chunk's part after its last backward pass.
  [[nodiscard]] bool by_chunk() const;
  /// Of the exchange, what the chunk whose backward passes come last has of it: what shows is at the end.
  [[nodiscard]] double last_share() const;
  /// What each of the other chunks has of it, where it goes by chunk.
  [[nodiscard]] double share_of_chunk() const;

  /// Of the exchange, or of its last part, what the prices say that the last pass hides.
  [[nodiscard]] Seconds hidden() const;
  /// Computing of the last pass, slowed so many times, that goes on beside what is hidden. The pass's own exchanges on
  /// other wires hide their part, too, those on the same wires wait for their turn.
  [[nodiscard]] Seconds hidden_behind(const PassPrice& pass, double slow) const;

 private:
  const HybridStep& step_;
  int stage_;
};

}  // namespace orrery
