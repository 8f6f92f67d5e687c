#include <fmt/format.h>

#include <cstddef>

#include "sim/base/errors.hpp"
#include "topologies/shapes/shapes.hpp"

namespace orrery {

/// Every node is a site: all its devices share one access link, whose up and down rates may differ, to an internet that
/// does not block.
LeafPlan plan_wan_star(const ClusterDescription& description, int ports, double lines) {
  if (ports != 1 || lines > 1) {
    throw Infeasible(fmt::format("wan-star: {} NICs per node (a site has one access link) - set nics_per_node = 1",
                                 description.nics_per_node));
  }
  return {{{"internet", 0}}, std::vector<int>(static_cast<std::size_t>(description.nodes), 0), LinkScope::wan};
}

}  // namespace orrery
