#include "topologies/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/suggest.hpp"
#include "topologies/node.hpp"

namespace orrery {
namespace {

/// One switch more on the way, in either direction; Mellanox QM9700: port to port below 150 ns (source `qm97`).
constexpr Seconds switch_hop{0.15 * micro};

const FabricEntry& find_fabric(const std::string& name) {
  const auto& all = fabrics();
  const auto found = std::find_if(all.begin(), all.end(), [&](const FabricEntry& entry) { return entry.name == name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const FabricEntry& entry : all) names.push_back(entry.name);
  throw Infeasible(fmt::format("unknown fabric \"{}\" - {}", name, did_you_mean(name, names)));
}

void expect_buildable(const NodeGroup& group, int all_nodes) {
  if (group.nodes < 1 || group.devices_per_node < 1) {
    throw Infeasible(
        fmt::format("a cluster of {} nodes with {} devices each has no devices", group.nodes, group.devices_per_node));
  }
  if (all_nodes > 1 && !group.network_link) {
    throw Infeasible(
        fmt::format("{} nodes without a network link cannot talk to each other - give the nodes a network "
                    "or use one node",
                    all_nodes));
  }
  if (group.devices_per_node > 1 && !group.node_link && !group.network_link) {
    throw Infeasible(fmt::format("{} devices in a node without a link between them", group.devices_per_node));
  }
  if (group.network_link && group.nics_per_node < 1) {
    throw Infeasible("nodes on a network need at least one NIC each");
  }
}

void expect_buildable(const ClusterDescription& description) {
  for (std::size_t i = 0; i < description.groups(); ++i)
    expect_buildable(description.group(i), description.all_nodes());
  if (!(description.oversubscription >= 1)) {
    throw Infeasible(fmt::format("oversubscription {} is below 1 (1 = the core carries all that the leaves take in)",
                                 description.oversubscription));
  }
}

/// A leaf as a zone of the platform: `uplinks` lines to the core, as one shared link in each direction.
Zone add_leaf(Cluster& cluster, const Leaf& leaf) {
  Zone zone{leaf.name, {}, {}};
  if (leaf.uplinks <= 0) return zone;
  const Link& link = *cluster.description.network_link;
  const LinkScope scope = network_scope(link);
  const LinkPower power{link.trunk * leaf.uplinks, link.energy_pJ_per_bit, Watts(0)};  // two ends, two directions
  zone.up = {add_link(cluster, {leaf.name + ".up", link.effective_up() * leaf.uplinks, switch_hop, scope}, power)};
  zone.down = {
      add_link(cluster, {leaf.name + ".down", link.effective_down() * leaf.uplinks, switch_hop, scope}, power)};
  return zone;
}

/// Of the nodes with most ports.
PortPlan widest_ports(const ClusterDescription& description) {
  PortPlan widest;
  for (std::size_t i = 0; i < description.groups(); ++i) {
    const PortPlan ports = plan_ports(description.group(i));
    if (ports.ports > widest.ports) widest = ports;
  }
  return widest;
}

bool have_equal_nics(const ClusterDescription& description) {
  return std::all_of(description.more.begin(), description.more.end(), [&](const NodeGroup& group) {
    const PortPlan ports = plan_ports(group), first = plan_ports(description);
    return ports.ports == first.ports && ports.lines == first.lines &&
           (!group.network_link || group.network_link->id == description.network_link->id);
  });
}

LeafPlan plan_leaves(const ClusterDescription& description, const PortPlan& ports) {
  ClusterDescription all = description;
  all.nodes = description.all_nodes();
  all.more.clear();
  LeafPlan plan = find_fabric(description.fabric).plan(all, ports.ports, ports.lines);
  if (plan.leaves.size() > 1 && !have_equal_nics(description)) {
    throw Infeasible(fmt::format(
        "fabric \"{}\" joins its switches by lines of one kind, but the groups of nodes have different NICs - use "
        "fabric = \"star\", or the same nics and network_link in every group",
        description.fabric));
  }
  return plan;
}

Watts rest_of_node(Watts node, Watts device, int devices) {
  return node.value() > 0 ? Watts(std::max(0.0, node.value() - device.value() * devices)) : Watts(0);
}

}  // namespace

int ClusterDescription::all_nodes() const {
  int sum = 0;
  for (std::size_t i = 0; i < groups(); ++i) sum += group(i).nodes;
  return sum;
}

int ClusterDescription::devices() const {
  int sum = 0;
  for (std::size_t i = 0; i < groups(); ++i) sum += group(i).nodes * group(i).devices_per_node;
  return sum;
}

std::size_t ClusterDescription::group_of_node(std::int64_t node) const {
  std::size_t index = 0;
  for (; index + 1 < groups() && node >= group(index).nodes; ++index) node -= group(index).nodes;
  return index;
}

std::size_t ClusterDescription::group_of_device(std::int64_t number) const {
  std::size_t index = 0;
  for (; index + 1 < groups(); ++index) {
    const std::int64_t there = std::int64_t{group(index).nodes} * group(index).devices_per_node;
    if (number < there) break;
    number -= there;
  }
  return index;
}

std::string ClusterDescription::text() const {
  std::string all;
  for (std::size_t i = 0; i < groups(); ++i) {
    const NodeGroup& nodes_of = group(i);
    all += fmt::format("{}{} nodes x {} {}", i == 0 ? "" : " + ", nodes_of.nodes, nodes_of.devices_per_node,
                       nodes_of.device.id);
  }
  return all;
}

ClusterDescription describe_system(const System& system, const Catalogue& catalogue, int nodes) {
  if (nodes < 1) throw Infeasible(fmt::format("{}: {} nodes is not a cluster", system.id, nodes));
  if (system.max_nodes > 0 && nodes > system.max_nodes) {
    throw Infeasible(fmt::format("{}: {} nodes asked for, but the system has {}", system.id, nodes, system.max_nodes));
  }
  const Device* device = catalogue.device(system.device);
  ORRERY_EXPECT(device != nullptr);  // the catalogue's reader has resolved every id
  ClusterDescription description;
  description.device = *device;
  description.nodes = nodes;
  description.devices_per_node = system.devices_per_node;
  if (const Link* link = catalogue.link(system.node_link)) description.node_link = *link;
  if (const Link* link = catalogue.link(system.network_link)) description.network_link = *link;
  description.nics_per_node = system.nics_per_node;
  description.fabric = system.fabric;
  description.nodes_per_leaf = system.nodes_per_leaf;
  description.oversubscription = system.oversubscription;
  description.torus_axes = system.torus_axes;
  description.rest_idle = rest_of_node(system.node_idle, device->idle, system.devices_per_node);
  description.rest_training = rest_of_node(system.node_training, device->typical, system.devices_per_node);
  return description;
}

Cluster build_cluster(const ClusterDescription& description) {
  expect_buildable(description);
  Cluster cluster{description, {}, {}};
  const PortPlan ports = widest_ports(description);
  LeafPlan plan;
  if (ports.ports > 0) {
    plan = plan_leaves(description, ports);
    for (const Leaf& leaf : plan.leaves) cluster.platform.zones.push_back(add_leaf(cluster, leaf));
  }
  for (int node = 0; node < description.all_nodes(); ++node) {
    add_node(cluster, description.group(description.group_of_node(node)), node, plan, ports.ports);
  }
  return cluster;
}

}  // namespace orrery
