#include <fmt/format.h>

#include <algorithm>

#include "sim/base/errors.hpp"
#include "topologies/shapes/shapes.hpp"

namespace orrery {
namespace {

/// The longest side of the most cubic box of `axes` sides with exactly this many places: 4,096 on 3 axes are 16 x 16 x
/// 16, 128 are 4 x 4 x 8, a prime number is a single ring.
int longest_side(int places, int axes) {
  if (axes == 1) return places;
  int best = places;
  for (int side = 1; side * side <= places; ++side) {
    if (places % side != 0) continue;
    for (const int other : {side, places / side}) {  // both can be a side: the rest has the other axes
      best = std::min(best, std::max(other, longest_side(places / other, axes - 1)));
    }
  }
  return best;
}

}  // namespace

/// A grid of ports with wrap-around, in the order of the nodes: a port is all lines of its chip, one in each direction
/// of each axis. The ports that share a place on the longest axis are a plane, and a plane is a leaf: towards the rest
/// of the torus it has the two lines of that axis of each of its ports, 1 / axes of what the ports carry. So a ring
/// along the longest axis has the rate of that axis alone, and collectives that go round all axes at once have the
/// whole port. Not charged: each further hop of bytes that go beyond the neighbouring plane. Where they go everywhere
/// (all-to-all over the whole torus), the longest side / 4 as oversubscription makes the planes' lines the bisection:
/// half of all bytes cross 2 x plane lines, side / 2 planes' worth.
LeafPlan plan_torus(const ClusterDescription& description, int ports, double lines) {
  if (description.torus_axes < 1 || description.torus_axes > 6) {
    throw Infeasible(fmt::format("torus: {} axes (1 to 6 can be built)", description.torus_axes));
  }
  const int places = description.nodes * ports;
  const int planes = longest_side(places, description.torus_axes), plane = places / planes;
  LeafPlan plan;
  const bool alone = planes == 1;
  const double lines_out = plane * lines / description.torus_axes / description.oversubscription;
  for (int i = 0; i < planes; ++i) plan.leaves.push_back({fmt::format("plane{}", i), alone ? 0.0 : lines_out});
  for (int place = 0; place < places; ++place) plan.leaf_of_port.push_back(place / plane);
  return plan;
}

}  // namespace orrery
