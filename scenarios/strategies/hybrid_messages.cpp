#include "scenarios/strategies/hybrid_messages.hpp"

#include <algorithm>

namespace orrery {

using Kind = Task::Kind;

StageMessages::StageMessages(const HybridStep& step, RankId rank)
    : step_(step),
      layout_(step.options.layout),
      rank_(rank),
      stage_(step.ranks.at(rank).pp),
      replica_(step.ranks.at(rank).dp) {}

std::optional<StageMessage> StageMessages::into(const Task& task) const {
  return message(task, Direction::into);
}

std::optional<StageMessage> StageMessages::out_of(const Task& task) const {
  return message(task, Direction::out_of);
}

std::optional<StageMessage> StageMessages::message(const Task& task, Direction direction) const {
  const int chunks = layout_.pp * layout_.interleave, other = other_chunk(task, direction);
  if (task.kind == Kind::weights || other < 0 || other >= chunks) return {};
  if (task.kind == Kind::backward && price_of(first_chunk(task, direction)).returned <= 0) return {};
  const int from = direction == Direction::into ? other : own_chunk(task);
  const int pass = task.kind == Kind::forward ? 0 : 1;
  return StageMessage{step_.ranks.in_stage(rank_, other % layout_.pp), (task.microbatch * chunks + from) * 2 + pass};
}

/// Counted along the network, over all stages.
int StageMessages::own_chunk(const Task& task) const {
  return task.chunk * layout_.pp + stage_;
}

/// Where the message comes from or goes to: beyond the ends of the network, too.
int StageMessages::other_chunk(const Task& task, Direction direction) const {
  const bool along = (task.kind == Kind::forward) == (direction == Direction::out_of);
  return own_chunk(task) + (along ? 1 : -1);
}

int StageMessages::first_chunk(const Task& task, Direction direction) const {
  return std::min(own_chunk(task), other_chunk(task, direction));
}

const ChunkPrice& StageMessages::price_of(int chunk) const {
  const StagePrice& stage = step_.prices.stages_of(replica_)[static_cast<std::size_t>(chunk % layout_.pp)];
  return stage.chunks[static_cast<std::size_t>(chunk / layout_.pp)];
}

Bytes StageMessages::bytes(const Task& task) const {
  const ChunkPrice& chunk = price_of(first_chunk(task, Direction::out_of));
  return task.kind == Kind::forward ? chunk.boundary : chunk.boundary * chunk.returned;
}

Seconds StageMessages::beyond_wires(const Task& task) const {
  if (step_.transfers_beyond.empty()) return {};
  const auto stage = static_cast<std::size_t>(first_chunk(task, Direction::out_of) % layout_.pp);
  return step_.transfers_beyond[step_.prices.kind_of(replica_)][stage];
}

}  // namespace orrery
