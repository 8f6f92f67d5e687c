#include "scenarios/strategies/hybrid_wires.hpp"

#include <algorithm>

namespace orrery {
namespace {

Seconds time_of(Bytes bytes, BytesPerSecond rate) {
  return bytes > Bytes() && rate > BytesPerSecond() ? bytes / rate : Seconds();
}

}  // namespace

GroupWires group_wires(CollectiveKind kind, const GroupPlace& place, const LibraryPath& node,
                       const LibraryPath& network) {
  GroupWires wires;
  wires.kind = kind;
  wires.node = node.bus;
  if (place.nodes() > 1) {
    wires.network = network.bus * (uplink_share(kind, place, network) / crowding(kind, place, network.devices_per_nic));
  }
  return wires;
}

Seconds wire_time(const WireBytes& sent, const GroupWires& wires) {
  return std::max(time_of(sent.node, wires.node), time_of(sent.network, wires.network));
}

Collective timed_collective(Seconds time, const WireBytes& sent, const GroupWires& wires) {
  const Seconds wire = wire_time(sent, wires);
  const double share = wire > time ? time / wire : 1.0;
  Collective what;
  what.kind = wires.kind;
  what.algorithm = Algorithm::library;
  what.library.overhead = std::max(Seconds(), time - wire);
  if (wires.node > BytesPerSecond()) what.library.node_bytes = sent.node * share;
  if (wires.network > BytesPerSecond()) what.library.network_bytes = sent.network * share;
  what.library.reach = wires.reach;
  what.library.least = time;
  return what;
}

SplitExchange split_exchange(const PassExchange& exchange, const GroupWires& wires, Seconds cover) {
  SplitExchange split;
  split.shown = timed_collective(exchange.exposed, exchange.sent, wires);
  const WireBytes rest{exchange.sent.node - split.shown.library.node_bytes,
                       exchange.sent.network - split.shown.library.network_bytes};
  split.hidden = timed_collective(std::min(cover, wire_time(rest, wires)), rest, wires);
  split.hidden.library.least = Seconds();
  return split;
}

}  // namespace orrery
