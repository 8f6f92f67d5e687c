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

void expect_buildable(const ClusterDescription& description) {
  if (description.nodes < 1 || description.devices_per_node < 1) {
    throw Infeasible(fmt::format("a cluster of {} nodes with {} devices each has no devices", description.nodes,
                                 description.devices_per_node));
  }
  if (description.nodes > 1 && !description.network_link) {
    throw Infeasible(
        fmt::format("{} nodes without a network link cannot talk to each other - give the nodes a network "
                    "or use one node",
                    description.nodes));
  }
  if (description.devices_per_node > 1 && !description.node_link && !description.network_link) {
    throw Infeasible(fmt::format("{} devices in a node without a link between them", description.devices_per_node));
  }
  if (description.network_link && description.nics_per_node < 1) {
    throw Infeasible("nodes on a network need at least one NIC each");
  }
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

Watts rest_of_node(Watts node, Watts device, int devices) {
  return node.value() > 0 ? Watts(std::max(0.0, node.value() - device.value() * devices)) : Watts(0);
}

}  // namespace

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
  const PortPlan ports = plan_ports(description);
  LeafPlan plan;
  if (ports.ports > 0) {
    plan = find_fabric(description.fabric).plan(description, ports.ports, ports.lines);
    for (const Leaf& leaf : plan.leaves) cluster.platform.zones.push_back(add_leaf(cluster, leaf));
  }
  for (int node = 0; node < description.nodes; ++node) add_node(cluster, node, ports, plan);
  return cluster;
}

}  // namespace orrery
