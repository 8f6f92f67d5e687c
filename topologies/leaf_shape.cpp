#include "topologies/leaf_shape.hpp"

#include <algorithm>
#include <cstddef>

#include "topologies/node.hpp"

namespace orrery {

LeafShape leaf_shape(const ClusterDescription& description) {
  const PortPlan ports = plan_ports(description);
  const auto& shapes = fabrics();
  const auto fabric = std::find_if(shapes.begin(), shapes.end(),
                                   [&](const FabricEntry& entry) { return entry.name == description.fabric; });
  if (ports.ports == 0 || fabric == shapes.end()) return {};
  const LeafPlan plan = fabric->plan(description, ports.ports, ports.lines);
  const int first = plan.leaf_of_port.front();
  const auto under = static_cast<std::size_t>(std::count(plan.leaf_of_port.begin(), plan.leaf_of_port.end(), first));
  const auto of_node = static_cast<std::size_t>(ports.ports), all = plan.leaf_of_port.size();
  const bool are_joined = description.joined_devices() == description.devices_per_node;
  std::size_t nodes = 0;
  while (nodes * of_node < all && plan.leaf_of_port[nodes * of_node] == first) ++nodes;
  const bool is_one_for_all = are_joined ? nodes * of_node == all : under == all;
  const double uplinks = plan.leaves[static_cast<std::size_t>(first)].uplinks;
  if (is_one_for_all || uplinks <= 0) return {};
  const std::size_t devices = under * static_cast<std::size_t>(description.devices_per_node) / of_node;
  const auto taken_in = static_cast<double>(under);
  return {static_cast<int>(are_joined ? nodes : devices), std::max(1.0, taken_in * ports.lines / uplinks)};
}

}  // namespace orrery
