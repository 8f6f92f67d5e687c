#include <fmt/format.h>

#include "topologies/shapes/shapes.hpp"

namespace orrery {

/// Port r of every node hangs on leaf r, its rail: devices with the same local NIC meet in one switch. Other pairs
/// cross the core, over a way from each rail that carries the rail's NICs divided by the oversubscription. (Real
/// libraries avoid that by changing rails inside the node; a program says so by the messages it sends.)
LeafPlan plan_rail_optimised(const ClusterDescription& description, int ports, double lines) {
  LeafPlan plan;
  for (int rail = 0; rail < ports; ++rail) {
    const double uplinks = ports == 1 ? 0.0 : description.nodes * lines / description.oversubscription;
    plan.leaves.push_back({fmt::format("rail{}", rail), uplinks});
  }
  for (int node = 0; node < description.nodes; ++node) {
    for (int rail = 0; rail < ports; ++rail) plan.leaf_of_port.push_back(rail);
  }
  return plan;
}

}  // namespace orrery
