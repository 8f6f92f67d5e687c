#include "topologies/shapes/shapes.hpp"

namespace orrery {

const std::vector<FabricEntry>& fabrics() {
  static const std::vector<FabricEntry> table{
      {"star", "every network port on one switch that never blocks", {}, plan_star},
      {"fat-tree",
       "nodes_per_leaf nodes on a leaf switch, leaves joined by a core; oversubscription narrows the way up",
       {"nodes_per_leaf", "oversubscription"},
       plan_fat_tree},
      {"rail-optimised",
       "port r of every node on leaf r (a rail), rails joined by a core",
       {"oversubscription"},
       plan_rail_optimised},
      {"dragonfly",
       "groups of nodes_per_leaf nodes, every group joined to every other one; oversubscription narrows a group's way "
       "out",
       {"nodes_per_leaf", "oversubscription"},
       plan_dragonfly},
      {"torus",
       "ports on a grid of torus_axes axes, each joined to its neighbours and the ends of each row to each other",
       {"torus_axes", "oversubscription"},
       plan_torus},
      {"wan-star", "every node a site of its own behind one wide-area access link", {}, plan_wan_star},
  };
  return table;
}

}  // namespace orrery
