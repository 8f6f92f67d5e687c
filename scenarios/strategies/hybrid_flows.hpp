// Who sends to whom in a layout, device by device: what folding its platform must keep alike.
#pragma once

#include <set>
#include <vector>

#include "scenarios/strategies/hybrid_groups.hpp"
#include "sim/engine/fold.hpp"

namespace orrery {

/// Whose exchanges, beside those of states, move over the wires; those of others take their time.
using Moving = std::set<Meeting>;

/// What all groups of one kind send. Devices of the layout are the ranks.
struct MeetingTraffic {
  Meeting meeting;
  FoldTraffic traffic;
};

/// What the groups of a layout send, in the order of Fold::reach.
std::vector<MeetingTraffic> group_traffic(const Layout& layout, const Moving& moving);

/// From every device of a stage to its neighbour's, `direction` 1 or -1; round the ends where chunks are interleaved.
FoldTraffic message_traffic(const Layout& layout, int direction);

}  // namespace orrery
