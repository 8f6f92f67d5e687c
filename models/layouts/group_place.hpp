// Where the groups of a layout sit on the nodes of a cluster.
#pragma once

#include "models/layouts/layout.hpp"
#include "sim/collectives/library.hpp"

namespace orrery {

/// Where `ranks` of the dp x cp replicas of a rank sit, every `every`-th of them, the faster of the two dimensions
/// first, when nodes of `devices_per_node` are filled in rank order. Where groups of a kind lie differently, because
/// they do not end where nodes do or the last node is not full: the one with the fewest ranks on one of its nodes.
GroupPlace place_of_replicas(const Layout& layout, int every, int ranks, int devices_per_node);
/// The same of the ranks that expert_ranks_in_step() counts.
GroupPlace place_of_expert_ranks(const Layout& layout, int every, int ranks, int devices_per_node);
/// Where the group of a dimension sits. dp: all dp x cp replicas; ep: the first ep of those that experts are dealt to.
GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node);
/// Where the first and the last stage of a replica sit.
GroupPlace place_of_ends(const Layout& layout, int devices_per_node);

}  // namespace orrery
