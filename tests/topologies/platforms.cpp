#include "tests/topologies/platforms.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/base/errors.hpp"
#include "sim/base/text.hpp"

namespace orrery::test {
namespace {

std::size_t index_named(const Platform& platform, const std::string& name) {
  const auto& links = platform.links;
  const auto link = std::find_if(links.begin(), links.end(), [&](const PlatformLink& l) { return l.name == name; });
  if (link == links.end()) throw std::runtime_error("no link " + name);
  return static_cast<std::size_t>(link - links.begin());
}

}  // namespace

Link round_link(const std::string& kind, double GBps, double latency_us) {
  Link link;
  link.id = kind;
  link.kind = kind;
  link.down = link.up = BytesPerSecond(GBps * giga);
  link.latency = Seconds(latency_us * micro);
  link.port = Watts(8);
  link.trunk = Watts(6);
  link.energy_pJ_per_bit = 5;
  return link;
}

ClusterDescription gpu_boxes(int nodes, int devices, int nics) {
  ClusterDescription description;
  description.device.kind = "gpu";
  description.nodes = nodes;
  description.devices_per_node = devices;
  description.node_link = round_link("nvswitch", 100, 4);
  description.nics_per_node = nics;
  description.network_link = round_link("infiniband", 10, 2);
  return description;
}

std::string names(const Platform& platform, const Route& route) {
  std::vector<std::string> all;
  for (const LinkId link : route.links) all.push_back(platform.links.at(link.index()).name);
  return join(all, " ");
}

std::string route_names(const Platform& platform, std::size_t from, std::size_t to) {
  return names(platform, route(platform, DeviceId(from), DeviceId(to)));
}

const PlatformLink& link_named(const Platform& platform, const std::string& name) {
  return platform.links[index_named(platform, name)];
}

const LinkPower& power_named(const Cluster& cluster, const std::string& name) {
  return cluster.link_power.at(index_named(cluster.platform, name));
}

std::string refusal(const ClusterDescription& description) {
  try {
    build_cluster(description);
  } catch (const Infeasible& error) {
    return error.what();
  }
  return "";
}

}  // namespace orrery::test
