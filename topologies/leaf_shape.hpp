// What the closed forms know of a fabric: how many neighbours hang on a leaf switch, and how much it passes on.
#pragma once

#include "topologies/cluster.hpp"

namespace orrery {

struct LeafShape {
  /// Neighbours whose ports of one number hang on the same leaf: nodes, or devices where these are not joined in their
  /// node (a host of TPUs may reach over several planes). 0: one leaf for all.
  int neighbours = 0;
  double oversubscription = 1;  // what the ports of a leaf take in / what it passes on, >= 1
};

/// Of the first leaf of the fabric as build_cluster() builds it. Throws Infeasible as that does.
LeafShape leaf_shape(const ClusterDescription& description);

}  // namespace orrery
