#include "topologies/leaf_shape.hpp"

#include <algorithm>
#include <cstddef>

#include "topologies/node.hpp"

namespace orrery {

LeafShape leaf_shape(const ClusterDescription& description) {
  const PortPlan ports = plan_ports(description);
  const auto& all = fabrics();
  const auto fabric =
      std::find_if(all.begin(), all.end(), [&](const FabricEntry& entry) { return entry.name == description.fabric; });
  if (ports.ports == 0 || fabric == all.end()) return {};
  const LeafPlan plan = fabric->plan(description, ports.ports, ports.lines);
  const int first = plan.leaf_of_port.front();
  const auto each = static_cast<std::size_t>(ports.ports), all_nodes = plan.leaf_of_port.size() / each;
  std::size_t nodes = 0;
  while (nodes < all_nodes && plan.leaf_of_port[nodes * each] == first) ++nodes;
  const double uplinks = plan.leaves[static_cast<std::size_t>(first)].uplinks;
  if (nodes == all_nodes || uplinks <= 0) return {};
  const auto taken_in = static_cast<double>(std::count(plan.leaf_of_port.begin(), plan.leaf_of_port.end(), first));
  return {static_cast<int>(nodes), std::max(1.0, taken_in * ports.lines / uplinks)};
}

}  // namespace orrery
