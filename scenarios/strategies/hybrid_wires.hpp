// How the exchanges inside a group move over the wires of a hybrid program: what of them shows, what computing hides.
#pragma once

#include <map>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/strategies/hybrid_groups.hpp"

namespace orrery {

/// What the members of a group send on.
struct GroupWires {
  BytesPerSecond node, network;  // of one rank when all groups like its own talk at once; 0: its bytes stay off them
  CollectiveKind kind = CollectiveKind::all_reduce;
  NetworkReach reach = NetworkReach::leaf;
};
using HybridWires = std::map<Meeting, GroupWires>;

/// Without `network` where the group lies in one node.
GroupWires group_wires(CollectiveKind kind, const GroupPlace& place, const LibraryPath& node,
                       const LibraryPath& network);
/// Until a rank has sent so much when nobody else is on its wires.
Seconds wire_time(const WireBytes& sent, const GroupWires& wires);

/// An exchange as two collectives. Alone `shown` takes what the closed form says that shows, with as many of the bytes
/// as go over the wires in that time; `hidden` takes no longer than `cover`, the computing that it goes beside, with as
/// many of the others. What fits into neither is not simulated.
struct SplitExchange {
  Collective shown, hidden;  // their groups left out
};
SplitExchange split_exchange(const PassExchange& exchange, const GroupWires& wires, Seconds cover);

/// A collective of the groups of one kind, its group left out.
struct MeetingCollective {
  Meeting meeting;
  Collective what;
};

/// A collective that alone takes `time`, `sent` with it: what the wires take of it is theirs, the rest is overhead;
/// bytes that they would take longer for (sums in the switch) are left out.
Collective timed_collective(Seconds time, const WireBytes& sent, const GroupWires& wires);

}  // namespace orrery
