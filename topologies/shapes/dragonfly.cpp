#include <fmt/format.h>

#include <cstddef>

#include "topologies/shapes/shapes.hpp"

namespace orrery {

/// Groups of nodes that do not block inside, and global lines from every group to every other one. As many global lines
/// leave a group as its nodes have NICs (the balanced dragonfly a = 2 h = 2 p of Kim, Dally, Scott and Abts, ISCA
/// 2008), divided by the oversubscription. Routing adapts: a way through a third group is taken when the direct lines
/// are full, so that which groups talk does not matter, but such a way uses two global lines. When all nodes of a group
/// talk to one other group, half of the bytes is what gets through: oversubscription = 2 says so.
LeafPlan plan_dragonfly(const ClusterDescription& description, int ports, double lines) {
  LeafPlan plan = plan_fat_tree(description, ports, lines);
  for (std::size_t group = 0; group < plan.leaves.size(); ++group)
    plan.leaves[group].name = fmt::format("group{}", group);
  return plan;
}

}  // namespace orrery
