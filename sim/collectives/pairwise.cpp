// Pairwise exchange: Thakur, Rabenseifner and Gropp 2005 (see halving_doubling.cpp), section 4.4. Each step is a
// permutation of the ranks, so that no port has two messages at once.
#include "sim/collectives/schedule.hpp"

namespace orrery {

Schedule pairwise_schedule(CollectiveKind, const GroupShape& shape) {
  Schedule schedule{shape.ranks, shape.ranks, {}, {}};
  for (std::int32_t step = 1; step < shape.ranks; ++step) {
    Round round;
    for (std::int32_t rank = 0; rank < shape.ranks; ++rank) {
      const std::int32_t to = (rank + step) % shape.ranks;
      round.transfers.push_back({rank, to, to, 1, Arrival::copy});
    }
    schedule.rounds.push_back(round);
  }
  return schedule;
}

}  // namespace orrery
