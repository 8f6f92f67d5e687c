// What crossed which wire.
#pragma once

#include <string>
#include <vector>

#include "scenarios/federated_run.hpp"
#include "scenarios/way.hpp"
#include "sim/engine/platform.hpp"
#include "sim/program/records.hpp"

namespace orrery {

/// Bytes of all messages by how far they went, every message counted once.
struct Traffic {
  Bytes intra_node, inter_node, wan;
  [[nodiscard]] Bytes total() const { return intra_node + inter_node + wan; }
};

/// From the links: a message leaves its node through exactly one network port and crosses the last of that port's up
/// links (the NIC), whose scope it takes; a message within a node crosses the first of its inside port's up links (the
/// device's lane). Where a lane also leads to the NIC (PCIe), the NIC's bytes are taken off.
Traffic traffic(const Platform& platform, const std::vector<LinkUse>& links);

/// A way's use of its links, the bytes of a link that stands for others being those of all.
std::vector<LinkUse> links_of_all(const Way& way);

/// One direction of one link over a step (co-simulated: of a shared line over the whole run).
struct WireUse {
  std::string name;
  LinkScope scope = LinkScope::inter_node;
  BytesPerSecond bandwidth;
  Bytes bytes;
  Seconds busy;
};
std::vector<WireUse> wires(const Platform& platform, const std::vector<LinkUse>& links);
/// "server.up" and "server.down" as the server sees them, the edges' likewise.
std::vector<WireUse> wires(const FederatedRun& run, LinkScope scope);

struct Bottleneck {
  std::string link;          // empty when nothing crossed any link
  double busy_fraction = 0;  // time in use / makespan
  double utilisation = 0;    // bytes / (bandwidth x makespan)
};

/// The wire that was in use for the longest time; ties: the best utilised, then the first.
Bottleneck bottleneck(const std::vector<WireUse>& wires, Seconds makespan);

}  // namespace orrery
