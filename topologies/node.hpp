// One node of a cluster: its devices, the fabric inside it and its ports on the network, as links that contend.
//
// Rates are effective (nominal x efficiency). Half of a link's one-way latency lies on the way up and half on the way
// down, so that a message between two hosts pays the catalogue's latency once.
//
// Inside the node, every device has its own line up and its own line down:
//   - NVLink, NVSwitch, xGMI, ICI, sockets: the lines meet in a switch that never blocks;
//   - PCIe (kind `pcie`, through host memory too): every transfer between two devices also crosses the node's one root
//     complex, `host_bridge` of the link's row, shared by all.
// To the network:
//   - device d uses port d * ports / devices. A node with more NICs than devices gives each device nics / devices of
//     them as one port; otherwise devices share a port, both directions contending separately;
//   - a device on PCIe reaches the NIC over its own PCIe lane, which contends with its traffic inside the node and adds
//     the PCIe latency once per message (half at either end). Devices on other fabrics (NVLink boxes) have their NIC on
//     a PCIe switch of their own, at least as fast as the NIC: it is left out.
#pragma once

#include <vector>

#include "topologies/cluster.hpp"

namespace orrery {

/// Network ports of one node and the NIC lines of each. No ports without a network link.
struct PortPlan {
  int ports = 0;
  double lines = 1.0;
};
PortPlan plan_ports(const NodeGroup& group);

/// Adds the hosts and links of node `node`, which is one of `group`, to the cluster; network ports join the zones given
/// in `plan`, which has `planned_ports` ports per node.
void add_node(Cluster& cluster, const NodeGroup& group, int node, const LeafPlan& plan, int planned_ports);

/// Adds a link and its power row.
LinkId add_link(Cluster& cluster, PlatformLink link, const LinkPower& power);

/// The part of a link's power that one direction of `lines` such links bears.
LinkPower power_of(const Link& link, double lines);

/// intra_node never; wan for WAN, cellular and WiFi links; else inter_node.
LinkScope network_scope(const Link& link);

}  // namespace orrery
