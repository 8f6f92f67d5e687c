// A Cluster: so many nodes of so many devices, of one kind or several, joined by a fabric; and the Platform (hosts and
// links) that the engine simulates. How a node and its path to the network are modelled stands in topologies/node.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/platform.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// Equal nodes of a cluster.
struct NodeGroup {
  Device device;
  int nodes = 1;
  int devices_per_node = 1;
  std::optional<Link> node_link;     // inside a node; nothing: devices of a node talk over the network
  int nics_per_node = 1;             // shared by the node's devices when fewer; device d uses NIC d * nics / devices
  std::optional<Link> network_link;  // of one NIC; nothing: a single node
  Watts rest_idle, rest_training;    // of one node beside its devices (host, fans); 0 when unknown

  /// Devices beside each other on a link of their own, which does not take from their NICs: those of a node, or one.
  [[nodiscard]] int joined_devices() const { return node_link ? devices_per_node : 1; }
};

/// What a scenario asks for, with every catalogue name resolved: its first group of nodes, and what joins all nodes.
struct ClusterDescription : NodeGroup {
  std::string fabric = "star";    // a name in the table of shapes (fabrics())
  int nodes_per_leaf = 16;        // fat-tree: nodes under one leaf switch; dragonfly: of a group
  double oversubscription = 1.0;  // leaf down capacity / leaf up capacity, >= 1
  int torus_axes = 3;             // torus: a port has a line in each direction of each axis
  /// Groups of nodes of other kinds: their nodes and devices are numbered behind those above, in this order.
  std::vector<NodeGroup> more;

  [[nodiscard]] std::size_t groups() const { return 1 + more.size(); }
  [[nodiscard]] const NodeGroup& group(std::size_t index) const { return index == 0 ? *this : more[index - 1]; }
  [[nodiscard]] int all_nodes() const;
  [[nodiscard]] int devices() const;
  /// Contract: there is such a node, such a device.
  [[nodiscard]] std::size_t group_of_node(std::int64_t node) const;
  [[nodiscard]] std::size_t group_of_device(std::int64_t number) const;
  /// "2 nodes x 8 a100-sxm-80 + 2 nodes x 8 v100-sxm2-32"
  [[nodiscard]] std::string text() const;
};

/// The description of `nodes` nodes of a catalogue system. Throws Infeasible when the system has fewer nodes, or when
/// `nodes` < 1.
ClusterDescription describe_system(const System& system, const Catalogue& catalogue, int nodes);

/// What one link of the platform (one direction) draws.
struct LinkPower {
  Watts always_on;        // half of the port (NIC, switch port, optics): the other direction has the other half
  double pJ_per_bit = 0;  // marginal, per bit that crosses
  Watts active;           // extra while data moves (a client's radio)
};

struct Cluster {
  ClusterDescription description;
  Platform platform;                  // host d = device d
  std::vector<LinkPower> link_power;  // one per link of the platform
  [[nodiscard]] int devices() const { return description.devices(); }
  [[nodiscard]] const Device& device(DeviceId id) const {
    return description.group(description.group_of_device(static_cast<std::int64_t>(id.index()))).device;
  }
};

/// One leaf switch of a fabric.
struct Leaf {
  std::string name;
  double uplinks = 0;  // capacity to the core, in NIC lines (fractions allowed); 0 = the only leaf, nothing above it
};

/// Which leaf every network port joins, and how wide the way from each leaf to the core is.
struct LeafPlan {
  std::vector<Leaf> leaves;
  std::vector<int> leaf_of_port;   // [node * ports + port]; nodes with fewer ports leave the last ones free
  std::optional<LinkScope> scope;  // of the ports' links; nothing: what the kind of the network link says
};

/// A way of joining the network ports that the nodes made: one file each in topologies/shapes, one line in the table.
struct FabricEntry {
  std::string name, summary;
  std::vector<std::string> options;  // the keys of [cluster] that it reads beyond those of every fabric
  /// `ports` network ports per node, each with `lines` NIC lines (more than one when a node has more NICs than
  /// devices). Pure. Throws Infeasible for a description it cannot serve.
  LeafPlan (*plan)(const ClusterDescription& description, int ports, double lines);
};
const std::vector<FabricEntry>& fabrics();

/// Throws Infeasible for a description that cannot be built (no network between several nodes, unknown fabric,
/// oversubscription below one, groups of nodes with different NICs on a fabric of several switches, whose lines are of
/// one kind).
Cluster build_cluster(const ClusterDescription& description);

}  // namespace orrery
