#include "topologies/node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace orrery {
namespace {

/// The two directions of one line between a host and its switch.
struct Line {
  LinkId up, down;
};

Line add_line(Cluster& cluster, const std::string& name, const Link& link, double lines, LinkScope scope) {
  const LinkPower power = power_of(link, lines);
  const Seconds half = link.latency / 2.0;
  return {add_link(cluster, {name + ".up", link.effective_up() * lines, half, scope}, power),
          add_link(cluster, {name + ".down", link.effective_down() * lines, half, scope}, power)};
}

std::vector<Line> add_ports(Cluster& cluster, const NodeGroup& group, int node, const LeafPlan& plan) {
  const PortPlan ports = plan_ports(group);
  std::vector<Line> lines;
  if (ports.ports == 0) return lines;
  const Link& link = *group.network_link;
  const LinkScope scope = plan.scope.value_or(network_scope(link));
  for (int port = 0; port < ports.ports; ++port) {
    lines.push_back(add_line(cluster, fmt::format("node{}.nic{}", node, port), link, ports.lines, scope));
  }
  return lines;
}

/// What every transfer inside the node crosses besides the two devices' own lines: the root complex, on PCIe.
std::vector<LinkId> add_root_complex(Cluster& cluster, const Link& link, int node) {
  if (link.kind != "pcie" || link.host_bridge.value() <= 0) return {};
  return {add_link(cluster, {fmt::format("node{}.bridge", node), link.host_bridge, Seconds(0), LinkScope::intra_node},
                   LinkPower{})};
}

}  // namespace

PortPlan plan_ports(const NodeGroup& group) {
  if (!group.network_link) return {};
  const int ports = std::min(group.nics_per_node, group.devices_per_node);
  return {ports, static_cast<double>(group.nics_per_node) / ports};
}

LinkId add_link(Cluster& cluster, PlatformLink link, const LinkPower& power) {
  cluster.link_power.push_back(power);
  return cluster.platform.add_link(std::move(link));
}

LinkPower power_of(const Link& link, double lines) {
  return {link.port * (lines / 2.0), link.energy_pJ_per_bit, link.client_active * lines};
}

LinkScope network_scope(const Link& link) {
  const bool wide = link.kind == "wan" || link.kind == "cellular" || link.kind == "wifi";
  return wide ? LinkScope::wan : LinkScope::inter_node;
}

void add_node(Cluster& cluster, const NodeGroup& group, int node, const LeafPlan& plan, int planned_ports) {
  const std::vector<Line> nics = add_ports(cluster, group, node, plan);
  const int ports = static_cast<int>(nics.size());
  const bool joined = group.node_link && group.devices_per_node > 1;
  const std::vector<LinkId> bridge = joined ? add_root_complex(cluster, *group.node_link, node) : std::vector<LinkId>{};
  for (int local = 0; local < group.devices_per_node; ++local) {
    PlatformHost host;
    host.name = fmt::format("node{}.{}{}", node, group.device.kind, local);
    host.node = static_cast<std::int32_t>(node);
    std::vector<LinkId> up, down;  // the device's own way to the NIC
    if (joined) {
      const Link& link = *group.node_link;
      const Line lane = add_line(cluster, host.name + "." + link.kind, link, 1.0, LinkScope::intra_node);
      host.inside = Port{0, {lane.up}, {lane.down}};
      host.inside->up.insert(host.inside->up.end(), bridge.begin(), bridge.end());
      if (link.kind == "pcie") up = {lane.up}, down = {lane.down};
    }
    if (!nics.empty()) {
      const int port = local * ports / group.devices_per_node;
      up.push_back(nics[static_cast<std::size_t>(port)].up);
      down.insert(down.begin(), nics[static_cast<std::size_t>(port)].down);
      host.network = Port{plan.leaf_of_port[static_cast<std::size_t>(node * planned_ports + port)], up, down};
    }
    cluster.platform.hosts.push_back(std::move(host));
  }
}

}  // namespace orrery
