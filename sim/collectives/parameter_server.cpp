// Parameter server: Li et al., "Scaling distributed machine learning with the parameter server", OSDI 2014, with one
// server. All workers send at the same time, and all take at the same time: the server's port is shared.
#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

enum class Direction { push, pull };

Round all_workers(const GroupShape& shape, Direction direction) {
  Round round;
  for (std::int32_t rank = 0; rank < shape.ranks; ++rank) {
    if (rank == shape.root) continue;
    if (direction == Direction::push) round.transfers.push_back({rank, shape.root, 0, 1, Arrival::reduce});
    if (direction == Direction::pull) round.transfers.push_back({shape.root, rank, 0, 1, Arrival::copy});
  }
  return round;
}

}  // namespace

Schedule parameter_server_schedule(CollectiveKind kind, const GroupShape& shape) {
  Schedule schedule{shape.ranks, 1, {}, {}};
  if (shape.ranks == 1) return schedule;
  if (kind == CollectiveKind::all_reduce) schedule.rounds.push_back(all_workers(shape, Direction::push));
  schedule.rounds.push_back(all_workers(shape, Direction::pull));
  return schedule;
}

}  // namespace orrery
