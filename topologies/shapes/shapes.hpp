// The shapes themselves: what each joins to what. See FabricEntry for the contract of these functions.
#pragma once

#include "topologies/cluster.hpp"

namespace orrery {

LeafPlan plan_star(const ClusterDescription& description, int ports, double lines);
LeafPlan plan_fat_tree(const ClusterDescription& description, int ports, double lines);
LeafPlan plan_rail_optimised(const ClusterDescription& description, int ports, double lines);
LeafPlan plan_dragonfly(const ClusterDescription& description, int ports, double lines);
LeafPlan plan_torus(const ClusterDescription& description, int ports, double lines);
LeafPlan plan_wan_star(const ClusterDescription& description, int ports, double lines);

}  // namespace orrery
