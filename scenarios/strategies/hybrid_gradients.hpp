// When the gradients of a stage are exchanged, and what of that is hidden.
#pragma once

#include <cstdint>
#include <vector>

#include "scenarios/strategies/hybrid_pass.hpp"
#include "scenarios/strategies/hybrid_step.hpp"

namespace orrery {

/// Whether what shows of a pass's own exchanges comes before that part of its computing beside which gradients are
/// exchanged, or behind it. none: no gradients are exchanged beside this pass.
enum class Shown : std::uint8_t { none, before, behind };

/// When, in a pass, the exchange of gradients begins: so long before the end of its computing.
struct GradientStart {
  Seconds computing;
  Shown shown = Shown::none;
};

class GradientTiming {
 public:
  GradientTiming(const HybridStep& step, int stage) : step_(step), stage_(stage) {}

  /// A stage in which nothing trains exchanges nothing.
  [[nodiscard]] bool has_any() const { return chunks() > 0; }
  /// ZeRO-2 and 3 without a pipeline exchange states with every micro-batch, not at the end.
  [[nodiscard]] bool with_passes() const;
  /// The last task that takes time: those of chunks in which nothing trains come last backward, and take none.
  [[nodiscard]] const Task& last_task(const std::vector<Task>& tasks) const;
  /// Interleaved, where software exchanges beside passes at all: each chunk's part after its last backward pass.
  [[nodiscard]] bool by_chunk() const;
  /// Of the exchange, what the chunk whose backward passes come last has of it: what shows is at the end.
  [[nodiscard]] double last_share() const;
  /// What each of the other chunks has of it, where it goes by chunk.
  [[nodiscard]] double share_of_chunk() const;
  /// Whether it is one of those.
  [[nodiscard]] bool is_before_last(int chunk) const;

  /// What shows of the last pass's own exchanges comes before the computing beside which gradients are exchanged where
  /// both are on the same wires: there gradients would hold it up, and hide behind it.
  [[nodiscard]] Shown shown_in(const PassPrice& pass) const;
  /// Of the exchange, or of its last part, what the prices say that the last pass hides.
  [[nodiscard]] Seconds hidden() const;
  /// Computing of the last pass, slowed so many times, that goes on beside what is hidden. The pass's own exchanges on
  /// other wires and its wait for the host hide their part, too, those on the same wires wait for their turn.
  [[nodiscard]] Seconds hidden_behind(const PassPrice& pass, double slow) const;
  /// Of what is hidden, what that pass has no computing for: the recomputation before it hides it.
  [[nodiscard]] Seconds hidden_before(const PassPrice& pass, double slow, const HybridWires& wires) const;
  /// In a recomputation of one exchange, so that it hides `before`. What shows of its exchange would hold up gradients
  /// on the same wires, and with them the pass that hides them: it comes first.
  [[nodiscard]] GradientStart start_in(const PassPrice& again, double slow, Seconds before,
                                       const HybridWires& wires) const;

 private:
  [[nodiscard]] const std::vector<ChunkPrice>& prices() const;
  /// Chunks of the stage that have gradients: not the first ones where nothing trains in them.
  [[nodiscard]] int chunks() const;
  [[nodiscard]] bool share_wires_with(const GroupExchange& exchange) const;
  /// Of what is hidden, what the pass's own exchanges on other wires and its wait for the host do not hide.
  [[nodiscard]] Seconds beyond_exchanges(const PassPrice& pass) const;

  const HybridStep& step_;
  int stage_;
};

}  // namespace orrery
