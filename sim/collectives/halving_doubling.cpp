// Recursive halving and doubling. Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations
// in MPICH", International Journal of High Performance Computing Applications 19(1), 2005; numbers of ranks that are no
// power of two are folded as there: the first ranks pair up, and one of each pair stands aside.
#include <bit>
#include <vector>

#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

/// The power-of-two part of the group: core i is done by rank `rank(i)` and stands for ranks of the group side by side.
class Cores {
 public:
  explicit Cores(std::int32_t ranks)
      : count_(static_cast<std::int32_t>(std::bit_floor(static_cast<std::uint32_t>(ranks)))), pairs_(ranks - count_) {}

  [[nodiscard]] std::int32_t count() const { return count_; }
  [[nodiscard]] std::int32_t pairs() const { return pairs_; }
  [[nodiscard]] std::int32_t rank(std::int32_t core) const { return core < pairs_ ? 2 * core : core + pairs_; }

 private:
  std::int32_t count_, pairs_;
};

/// Where the chunks of core i begin; one entry more than cores. All-reduce: one chunk per core, equal halves.
/// Otherwise one chunk per rank: a core that stands for two ranks owns the chunks of both.
std::vector<std::int32_t> chunk_starts(CollectiveKind kind, const Cores& cores) {
  std::vector<std::int32_t> starts;
  for (std::int32_t core = 0; core <= cores.count(); ++core) {
    starts.push_back(kind == CollectiveKind::all_reduce ? core : cores.rank(core));
  }
  return starts;
}

/// Every core exchanges with the one at `distance`: reducing, it sends the half that the other keeps; copying, it sends
/// the block it has complete.
Round exchange(const Cores& cores, const std::vector<std::int32_t>& starts, std::int32_t distance, Arrival arrival) {
  Round round;
  for (std::int32_t core = 0; core < cores.count(); ++core) {
    const std::int32_t partner = core ^ distance;
    const std::int32_t block = (arrival == Arrival::reduce ? partner : core) / distance * distance;
    const std::int32_t first = starts[static_cast<std::size_t>(block)];
    const std::int32_t last = starts[static_cast<std::size_t>(block + distance)];
    round.transfers.push_back({cores.rank(core), cores.rank(partner), first, last - first, arrival});
  }
  return round;
}

/// The odd rank of each pair hands `count` chunks to the even one (`to_core`), or takes them back.
enum class Direction { to_core, from_core };
Round fold(const Cores& cores, const Schedule& schedule, Direction direction, CollectiveKind kind) {
  Round round;
  for (std::int32_t pair = 0; pair < cores.pairs(); ++pair) {
    const std::int32_t core = 2 * pair, aside = 2 * pair + 1;
    Transfer transfer{aside, core, 0, schedule.chunks, Arrival::reduce};
    if (direction == Direction::to_core && kind == CollectiveKind::all_gather) {
      transfer = {aside, core, aside, 1, Arrival::copy};
    } else if (direction == Direction::from_core) {
      transfer = {core, aside, 0, schedule.chunks, Arrival::copy};
      if (kind == CollectiveKind::reduce_scatter) transfer = {core, aside, aside, 1, Arrival::copy};
      if (kind == CollectiveKind::all_gather) {
        transfer = {core, aside, (aside + 1) % schedule.chunks, schedule.chunks - 1, Arrival::copy};  // all but its own
      }
    }
    round.transfers.push_back(transfer);
  }
  return round;
}

}  // namespace

Schedule halving_doubling_schedule(CollectiveKind kind, const GroupShape& shape) {
  const Cores cores(shape.ranks);
  const std::vector<std::int32_t> starts = chunk_starts(kind, cores);
  Schedule schedule{shape.ranks, starts.back(), {}, {}};
  if (shape.ranks == 1) return schedule;
  if (cores.pairs() > 0) schedule.rounds.push_back(fold(cores, schedule, Direction::to_core, kind));
  if (kind != CollectiveKind::all_gather) {
    for (std::int32_t distance = cores.count() / 2; distance >= 1; distance /= 2) {
      schedule.rounds.push_back(exchange(cores, starts, distance, Arrival::reduce));
    }
  }
  if (kind != CollectiveKind::reduce_scatter) {
    for (std::int32_t distance = 1; distance < cores.count(); distance *= 2) {
      schedule.rounds.push_back(exchange(cores, starts, distance, Arrival::copy));
    }
  }
  if (cores.pairs() > 0) schedule.rounds.push_back(fold(cores, schedule, Direction::from_core, kind));
  return schedule;
}

}  // namespace orrery
