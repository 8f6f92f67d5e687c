// Ring algorithms. Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", Journal
// of Parallel and Distributed Computing 69(2), 2009.
#include "sim/collectives/pipeline.hpp"
#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

/// N-1 steps in which rank r sends chunk r + offset - k to its neighbour: the chunk it received the step before.
Round turn(std::int32_t ranks, std::int32_t offset, Arrival arrival) {
  Round round{ranks - 1, -1, {}};
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    round.transfers.push_back({rank, (rank + 1) % ranks, (rank + offset + ranks) % ranks, 1, arrival});
  }
  return round;
}

/// The ring cut open at the root: the chunks follow each other along the chain.
Schedule chain_broadcast(const GroupShape& shape) {
  PipelinedTree chain;
  chain.chunk_count = shape.pipeline_chunks;
  for (std::int32_t depth = 1; depth < shape.ranks; ++depth) {
    chain.edges.push_back({(shape.root + depth - 1) % shape.ranks, (shape.root + depth) % shape.ranks, depth});
  }
  Schedule schedule{shape.ranks, shape.pipeline_chunks, {}, {}};
  add_downwards(schedule, chain, 0);
  return schedule;
}

}  // namespace

Schedule ring_schedule(CollectiveKind kind, const GroupShape& shape) {
  Schedule schedule{shape.ranks, shape.ranks, {}, {}};
  if (shape.ranks == 1) return schedule;
  if (kind == CollectiveKind::broadcast) return chain_broadcast(shape);
  // Sending chunk r-1 first makes rank r the owner of chunk r in the end.
  if (kind != CollectiveKind::all_gather) schedule.rounds.push_back(turn(shape.ranks, -1, Arrival::reduce));
  if (kind != CollectiveKind::reduce_scatter) schedule.rounds.push_back(turn(shape.ranks, 0, Arrival::copy));
  return schedule;
}

}  // namespace orrery
