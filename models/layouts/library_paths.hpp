// What a collective library reaches inside a node and over the network of a cluster.
#pragma once

#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"
#include "sim/collectives/library.hpp"

namespace orrery {

/// Paths of a cluster as library_cost() takes them.
struct Paths {
  LibraryPath node, network;
};
/// `network` knows the leaves of the cluster's fabric, `node` its part of the root complex of a PCIe node, which so
/// many of its devices use at once.
Paths paths_of(const TrainingJob& job, int devices_at_once);
/// With all devices of a node at once.
Paths paths_of(const TrainingJob& job);

/// At which one device sends to the next stage over the network when all of its stage do: its part of the NICs, or of
/// the uplinks of a leaf, which the last of the stages under it crosses. Of the stages in a node one sends out: of
/// several NICs those that its devices stand beside, which they share among them.
BytesPerSecond message_rate(const Layout& layout, const NodeGroup& nodes, const LibraryPath& network);

}  // namespace orrery
