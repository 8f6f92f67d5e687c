#include <cstddef>

#include "topologies/shapes/shapes.hpp"

namespace orrery {

LeafPlan plan_star(const ClusterDescription& description, int ports, double /*lines*/) {
  const auto all_ports = static_cast<std::size_t>(description.nodes) * static_cast<std::size_t>(ports);
  return {{{"switch", 0}}, std::vector<int>(all_ports, 0), {}};
}

}  // namespace orrery
