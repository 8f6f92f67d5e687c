#include "models/layouts/library_paths.hpp"

#include <algorithm>
#include <array>

#include "models/layouts/group_place.hpp"
#include "topologies/leaf_shape.hpp"

namespace orrery {
namespace {

/// `share`: of the link that one rank has.
LibraryPath path_of(const FabricLaw& law, double share) {
  LibraryPath path;
  path.bus = BytesPerSecond(law.bus_GBps.value * giga * share);
  path.in_network = BytesPerSecond(law.in_network_GBps.value * giga * share);
  path.in_network_ranks = law.in_network_ranks;
  path.base = Seconds(law.base_us.value * micro);
  path.hop = Seconds(law.hop_us.value * micro);
  path.small_hop = Seconds(law.small_hop_us.value * micro);
  path.fill = Seconds(law.fill_us.value * micro);
  path.fill_bytes = Bytes(law.fill_MB.value * mega);
  path.small_ring_loss = law.small_ring_loss.value;
  const std::array<const Ranged*, 6> given = {&law.bus_of_2_GBps, &law.bus_of_3_GBps, &law.bus_of_4_GBps,
                                              &law.bus_of_5_GBps, &law.bus_of_6_GBps, &law.bus_of_7_GBps};
  for (std::size_t i = 0; i < given.size(); ++i) path.bus_of_ranks[i] = BytesPerSecond(given[i]->value * giga);
  return path;
}

/// Its own, or its part of the NIC that most devices share.
double nics_of_device(const NodeGroup& nodes) {
  const int devices = nodes.devices_per_node, nics = nodes.nics_per_node;
  if (nics >= devices) return static_cast<double>(nics) / devices;
  const int on_fullest_nic = (devices + nics - 1) / nics;
  return 1.0 / on_fullest_nic;
}

/// No more than a device's part of a PCIe node's root complex, which all its transfers cross.
void share_root_complex(LibraryPath& path, BytesPerSecond bridge, int devices) {
  if (bridge <= BytesPerSecond()) return;
  const BytesPerSecond most = bridge * (1.0 / devices);
  path.bus = std::min(path.bus, most);
  for (BytesPerSecond& bus : path.bus_of_ranks) bus = std::min(bus, most);
}

}  // namespace

Paths paths_of(const TrainingJob& job, int devices_at_once) {
  const ClusterDescription& cluster = job.cluster;
  Paths paths;
  const double share = nics_of_device(cluster);
  if (cluster.network_link) {
    paths.network = path_of(job.network_law, share);
    const LeafShape leaf = leaf_shape(cluster);
    paths.network.leaf_nodes = leaf.neighbours;
    paths.network.oversubscription = leaf.oversubscription;
    paths.network.devices_per_nic = 1.0 / share;
  }
  paths.node = cluster.node_link ? path_of(job.node_law, 1.0) : paths.network;
  if (cluster.node_link) share_root_complex(paths.node, cluster.node_link->host_bridge, devices_at_once);
  return paths;
}

Paths paths_of(const TrainingJob& job) {
  return paths_of(job, job.cluster.devices_per_node);
}

BytesPerSecond message_rate(const Layout& layout, const NodeGroup& nodes, const LibraryPath& network) {
  const GroupPlace stages = place_of(layout, Dimension::pp, nodes.devices_per_node);
  const double nic_of_stage = std::max(1.0, static_cast<double>(stages.per_node) / nodes.nics_per_node);
  const double uplink = uplink_share(CollectiveKind::broadcast, stages, network);
  return network.bus * std::min(nic_of_stage, stages.per_node * uplink);
}

}  // namespace orrery
