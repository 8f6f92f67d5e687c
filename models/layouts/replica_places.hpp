// Which kinds of nodes the replicas of a layout stand on, on a cluster of several.
#pragma once

#include <cstddef>
#include <vector>

#include "models/layouts/layout.hpp"
#include "topologies/cluster.hpp"

namespace orrery {

/// Groups of nodes (ClusterDescription::group), ascending, each once.
using NodeKinds = std::vector<std::size_t>;

struct ReplicaPlaces {
  std::vector<std::vector<NodeKinds>> kinds;  // the kinds of replicas, each by stage; in the order of their first one
  std::vector<std::size_t> kind_of_replica;

  [[nodiscard]] bool replicas_differ() const { return kinds.size() > 1; }
  /// Whether the devices of a stage of one replica, which meet in every layer, are of different kinds.
  [[nodiscard]] bool stages_are_mixed() const;
  /// Of a stage over all replicas.
  [[nodiscard]] NodeKinds of_stage(std::size_t stage) const;
  /// Whether two stages stand on different kinds.
  [[nodiscard]] bool stages_differ() const;
};

/// Whether replicas exchange states with every micro-batch: who holds a shard of the gradients (ZeRO-2, 3) has nowhere
/// to add up whole ones. In a pipeline they are whole until the end of the step.
bool exchanges_with_microbatches(const Layout& layout);

/// Devices are numbered along Layout::order, and stand on the nodes in the order of the cluster's groups. Replicas that
/// meet in every pass, because they share experts or exchange states with every micro-batch, go at the pace of the
/// slowest: each counts as standing on the kinds of all of them. Contract: the cluster has so many devices.
ReplicaPlaces places_of_replicas(const Layout& layout, const ClusterDescription& cluster);

/// The two sets together.
NodeKinds joined(const NodeKinds& a, const NodeKinds& b);

}  // namespace orrery
