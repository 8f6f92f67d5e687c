// Made-up links with round figures, and readable views of a platform.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/platform.hpp"
#include "topologies/cluster.hpp"

namespace orrery::test {

/// A link of `GBps` each way, all of it payload, `latency_us` one way, 8 W per port (2 of them the NIC).
Link round_link(const std::string& kind, double GBps, double latency_us);

/// `nodes` nodes of `devices` GPUs on a 100 GB/s, 4 us NVLink switch; `nics` InfiniBand NICs of 10 GB/s and 2 us.
ClusterDescription gpu_boxes(int nodes, int devices, int nics);

/// `a b c`: the names of a route's links.
std::string names(const Platform& platform, const Route& route);
std::string route_names(const Platform& platform, std::size_t from, std::size_t to);
const PlatformLink& link_named(const Platform& platform, const std::string& name);
const LinkPower& power_named(const Cluster& cluster, const std::string& name);

/// The text of the Infeasible that building throws; empty when it builds.
std::string refusal(const ClusterDescription& description);

}  // namespace orrery::test
