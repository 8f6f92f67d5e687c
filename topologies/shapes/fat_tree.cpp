#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "sim/base/errors.hpp"
#include "topologies/shapes/shapes.hpp"

namespace orrery {

/// Two levels: node n hangs on leaf n / nodes_per_leaf. A leaf's way to the core carries what its nodes' NICs take in,
/// divided by the oversubscription; the core itself does not block.
LeafPlan plan_fat_tree(const ClusterDescription& description, int ports, double lines) {
  if (description.nodes_per_leaf < 1) {
    throw Infeasible(fmt::format("fat-tree: nodes_per_leaf {} is below 1", description.nodes_per_leaf));
  }
  LeafPlan plan;
  const int leaves = (description.nodes + description.nodes_per_leaf - 1) / description.nodes_per_leaf;
  for (int leaf = 0; leaf < leaves; ++leaf) {
    const int nodes = std::min(description.nodes_per_leaf, description.nodes - leaf * description.nodes_per_leaf);
    const double uplinks = leaves == 1 ? 0.0 : nodes * ports * lines / description.oversubscription;
    plan.leaves.push_back({fmt::format("leaf{}", leaf), uplinks});
  }
  for (int node = 0; node < description.nodes; ++node) {
    plan.leaf_of_port.insert(plan.leaf_of_port.end(), static_cast<std::size_t>(ports),
                             node / description.nodes_per_leaf);
  }
  return plan;
}

}  // namespace orrery
