// Hosts and links as the engine sees them: stars of stars. A host has a port inside its node (NVLink, PCIe) and a port
// on the network; a port's up and down lists name the links between the host and its zone. Links are directed; a shared
// link may stand in many lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"

namespace orrery {

enum class LinkScope : std::uint8_t { intra_node, inter_node, wan };
std::string_view name_of(LinkScope scope);

struct PlatformLink {
  std::string name;  // unique: "node3.gpu1.nvlink.up"
  BytesPerSecond bandwidth;
  Seconds latency;
  LinkScope scope = LinkScope::inter_node;
};

struct Port {
  std::int32_t zone = 0;     // index into Platform::zones; unused for inside ports
  std::vector<LinkId> up;    // host to zone, in order
  std::vector<LinkId> down;  // zone to host, in order
};

/// A leaf of the network. Traffic between two leaves also crosses the up links of the one and the down links of the
/// other; the core above them does not contend further.
struct Zone {
  std::string name;
  std::vector<LinkId> up, down;
};

struct PlatformHost {
  std::string name;
  std::int32_t node = 0;
  std::optional<Port> inside;   // absent: traffic within the node goes over the network port
  std::optional<Port> network;  // absent: the host reaches only its own node
};

/// Where a host that stands for others sends what it would send to its equals: hosts with its own links, so that what
/// it sends loads its lines down as what it would receive. Invalid where it has no such port.
struct Mirrors {
  DeviceId inside;  // on its node
  DeviceId leaf;    // on another node of its leaf
  DeviceId core;    // on a node of another leaf
};

struct Platform {
  std::vector<PlatformLink> links;
  std::vector<Zone> zones;
  std::vector<PlatformHost> hosts;
  std::vector<Mirrors> mirrors;  // of the first hosts; empty: nobody stands for others. Made by sim/engine/fold.hpp

  LinkId add_link(PlatformLink link);
};

/// A number that hosts of a node have in common when a link inside it joins them; others have one each, below zero.
std::int64_t joined_node(const Platform& platform, DeviceId host);

struct Route {
  std::vector<LinkId> links;  // without repetition
  Seconds latency;            // sum over the links
  BytesPerSecond bandwidth;   // of the slowest link
};

/// Same node and both with an inside port: inside.up + inside.down. Else network.up, leaf up and down when the leaves
/// differ, network.down. Host to itself: no links, no latency, infinite bandwidth. Throws Infeasible when there is no
/// way.
Route route(const Platform& platform, DeviceId from, DeviceId to);

/// Every defect of a platform (ids out of range, zero or negative bandwidth, doubled names, ...): checked before an
/// engine sees it.
std::vector<std::string> check(const Platform& platform);

}  // namespace orrery
