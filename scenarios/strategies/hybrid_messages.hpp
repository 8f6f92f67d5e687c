// What the stages of a pipeline send each other.
#pragma once

#include <cstdint>
#include <optional>

#include "models/layouts/schedules.hpp"
#include "scenarios/strategies/hybrid_step.hpp"

namespace orrery {

struct StageMessage {
  RankId neighbour;      // who sends or receives it
  std::int32_t tag = 0;  // tells messages apart by micro-batch, the chunk they leave, and the pass
};

/// Of one rank: activations go on along the network, their gradients come back.
class StageMessages {
 public:
  StageMessages(const HybridStep& step, RankId rank);

  /// What a task waits for; none at the end of the network, where only gradients of weights are computed, and of
  /// gradients that nobody needs: nothing trains below.
  [[nodiscard]] std::optional<StageMessage> into(const Task& task) const;
  /// What a task sends; none as above.
  [[nodiscard]] std::optional<StageMessage> out_of(const Task& task) const;
  /// Of the message out of a task. What leaves the chunk that comes first along the network: backward its gradients
  /// come back.
  [[nodiscard]] Bytes bytes(const Task& task) const;
  /// What the message out of a task takes beside its wires.
  [[nodiscard]] Seconds beyond_wires(const Task& task) const;

 private:
  enum class Direction : std::uint8_t { into, out_of };
  [[nodiscard]] std::optional<StageMessage> message(const Task& task, Direction direction) const;
  [[nodiscard]] int own_chunk(const Task& task) const;
  [[nodiscard]] int other_chunk(const Task& task, Direction direction) const;
  /// Of the two that a message goes between, the one that comes first along the network.
  [[nodiscard]] int first_chunk(const Task& task, Direction direction) const;
  [[nodiscard]] const ChunkPrice& price_of(int chunk) const;

  const HybridStep& step_;
  const Layout& layout_;
  RankId rank_;
  int stage_, replica_;
};

}  // namespace orrery
