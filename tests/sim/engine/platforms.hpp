// Small platforms for tests: stars of equal hosts, and two leaves behind uplinks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/engine/platform.hpp"

namespace orrery::test {

struct PortSpeed {
  double bandwidth = 25e9;  // bytes per second
  double latency = 2e-6;    // seconds, of the whole way from host to host
};

/// `hosts` hosts around one switch, one per node, ports with a link in each direction that takes half of the latency.
inline Platform star(std::size_t hosts, PortSpeed speed) {
  Platform platform;
  platform.zones.push_back({"leaf", {}, {}});
  for (std::size_t i = 0; i < hosts; ++i) {
    const std::string name = "host" + std::to_string(i);
    const BytesPerSecond bandwidth(speed.bandwidth);
    const Seconds latency(speed.latency / 2.0);
    const LinkId up = platform.add_link({name + ".up", bandwidth, latency, LinkScope::inter_node});
    const LinkId down = platform.add_link({name + ".down", bandwidth, latency, LinkScope::inter_node});
    platform.hosts.push_back({name, static_cast<std::int32_t>(i), {}, Port{0, {up}, {down}}});
  }
  return platform;
}

struct ClusterSpeed {
  PortSpeed inside, network;
  double uplink_bandwidth = 100e9;  // per leaf and direction, bytes per second
};

/// `nodes` nodes of `places` hosts with an inside and a network port each; `nodes_per_leaf` nodes behind each uplink.
inline Platform cluster(std::size_t nodes, std::size_t places, std::size_t nodes_per_leaf, ClusterSpeed speed) {
  Platform platform;
  const auto pair = [&](const std::string& name, PortSpeed port, LinkScope scope) {
    const LinkId up =
        platform.add_link({name + ".up", BytesPerSecond(port.bandwidth), Seconds(port.latency / 2), scope});
    const LinkId down =
        platform.add_link({name + ".down", BytesPerSecond(port.bandwidth), Seconds(port.latency / 2), scope});
    return Port{0, {up}, {down}};
  };
  for (std::size_t leaf = 0; leaf * nodes_per_leaf < nodes; ++leaf) {
    const std::string name = "leaf" + std::to_string(leaf);
    const Port uplink = pair(name, {speed.uplink_bandwidth, 0.0}, LinkScope::inter_node);
    platform.zones.push_back({name, uplink.up, uplink.down});
  }
  for (std::size_t i = 0; i < nodes * places; ++i) {
    const std::string name = "node" + std::to_string(i / places) + ".device" + std::to_string(i % places);
    Port network = pair(name + ".nic", speed.network, LinkScope::inter_node);
    network.zone = static_cast<std::int32_t>(i / places / nodes_per_leaf);
    platform.hosts.push_back({name, static_cast<std::int32_t>(i / places),
                              pair(name + ".nvlink", speed.inside, LinkScope::intra_node), network});
  }
  return platform;
}

inline std::vector<DeviceId> all_hosts(const Platform& platform) {
  std::vector<DeviceId> hosts;
  for (std::size_t i = 0; i < platform.hosts.size(); ++i) hosts.emplace_back(i);
  return hosts;
}

}  // namespace orrery::test
