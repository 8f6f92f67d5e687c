// A Cluster: so many nodes of so many devices, joined by a fabric; and the Platform (hosts and links) that the engine
// simulates.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/platform.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// What a scenario asks for, with every catalogue name resolved.
struct ClusterDescription {
  Device device;
  int nodes = 1;
  int devices_per_node = 1;
  std::optional<Link> node_link;     // inside a node; nothing: devices of a node talk over the network
  int nics_per_node = 1;             // shared by the node's devices when fewer; device d uses NIC d * nics / devices
  std::optional<Link> network_link;  // of one NIC; nothing: a single node
  std::string fabric = "star";       // a name in the table of shapes: star, fat-tree, rail-optimised, wan-star
  int nodes_per_leaf = 16;           // fat-tree: nodes under one leaf switch
  double oversubscription = 1.0;     // leaf down capacity / leaf up capacity, >= 1
};

struct Cluster {
  ClusterDescription description;
  Platform platform;  // host d = device d; node = d / devices_per_node
  [[nodiscard]] int devices() const { return description.nodes * description.devices_per_node; }
  [[nodiscard]] const Device& device() const { return description.device; }
};

/// Joins the network ports that the nodes made: leaves and their up links. One file each in topologies/shapes, one line
/// here.
struct FabricEntry {
  std::string name, summary;
  /// Leaf of a device, given (node, local index); and the number of leaves. The builder gives each leaf the up and down
  /// capacity it should have.
  Platform (*build)(const ClusterDescription& description);
};
const std::vector<FabricEntry>& fabrics();

/// Throws Infeasible for a description that cannot be built (no network between several nodes).
Cluster build_cluster(const ClusterDescription& description);

/// Federated population: client c is host c, the server is the last host. Every client has its own access link to the
/// server's site (up and down may differ); the server's link is shared by all of them.
struct FederationDescription {
  std::vector<Device> client_devices;  // one per client
  std::vector<Link> client_links;      // one per client
  Device server;
  Link server_link;
};
Platform build_federation(const FederationDescription& description);

}  // namespace orrery
