// Where groups of a layout sit on nodes that are filled in rank order.
#include "models/layouts/group_place.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("Places of groups follow the order of dimensions") {
  Layout layout;
  layout.tp = 4, layout.dp = 8, layout.pp = 2;
  CHECK(place_of(layout, Dimension::tp, 8).per_node == 4);
  CHECK(place_of(layout, Dimension::dp, 8).per_node == 2);
  CHECK(place_of(layout, Dimension::dp, 8).nodes() == 4);
  CHECK(stride(layout, Dimension::pp) == 32);
  layout.order = {Dimension::dp, Dimension::pp, Dimension::tp, Dimension::cp};
  CHECK(place_of(layout, Dimension::dp, 8).per_node == 8);
  CHECK(place_of(layout, Dimension::tp, 8).per_node == 1);
  CHECK(to_text(layout) == "tp4 pp2 dp8 b1");
  layout = {};
  layout.tp = layout.cp = layout.pp = layout.dp = 2;
  CHECK(place_of(layout, Dimension::dp, 8).per_node == 4);
  layout.order = {Dimension::tp, Dimension::cp, Dimension::pp, Dimension::dp};  // replicas on another node
  CHECK(place_of(layout, Dimension::dp, 8).ranks == 4);
  CHECK(place_of(layout, Dimension::dp, 8).per_node == 2);
  layout.ep = 4;
  CHECK(place_of(layout, Dimension::ep, 8).per_node == 2);
  CHECK(place_of_replicas(layout, 2, 2, 8).per_node == 1);  // one of each cp pair
}

GroupPlace replicas_of(const Layout& layout, int devices_per_node) {
  return place_of(layout, Dimension::dp, devices_per_node);
}

TEST_CASE("Groups that end where nodes do not are priced by the node with the fewest of their ranks") {
  Layout layout;
  layout.dp = 12;
  CHECK(replicas_of(layout, 8) == GroupPlace{12, 8, 1, 4, 4});
  CHECK(replicas_of(layout, 4) == GroupPlace{12, 4, 1});
  CHECK(replicas_of(layout, 16) == GroupPlace{12, 12, 1});
  layout.dp = 128;
  CHECK(replicas_of(layout, 72) == GroupPlace{128, 72, 1, 56, 56});
  layout.dp = 64, layout.pp = 2;  // the second stage begins on device 64 of 72
  CHECK(replicas_of(layout, 72) == GroupPlace{64, 56, 1, 8, 8});
  layout.dp = 16, layout.tp = 8, layout.pp = 1;
  CHECK(replicas_of(layout, 72) == GroupPlace{16, 9, 1, 7, 56});
  CHECK(place_of(layout, Dimension::tp, 72) == GroupPlace{8, 8, 1});
  layout.dp = 3, layout.tp = 4;  // on nodes of six the second of three has two ranks on either
  CHECK(place_of(layout, Dimension::tp, 6) == GroupPlace{4, 2, 1});
  CHECK(replicas_of(layout, 6) == GroupPlace{3, 2, 1, 1, 6});
  layout.dp = 1;
  CHECK(place_of(layout, Dimension::tp, 6) == GroupPlace{4, 4, 1});  // one node
}

/// Ranks of every group of replicas by node, counted one by one; fewest of those that are on several nodes, or of all.
int fewest_counted(const Layout& layout, int devices_per_node) {
  std::map<std::pair<int, int>, std::map<int, int>> groups;  // by slice and stage
  for (int device = 0; device < static_cast<int>(layout.devices()); ++device) {
    const auto at = [&](Dimension dimension) {
      return static_cast<int>(device / stride(layout, dimension) % degree(layout, dimension));
    };
    ++groups[{at(Dimension::tp), at(Dimension::pp)}][device / devices_per_node];
  }
  int fewest = layout.dp * layout.cp;
  for (const auto& [group, on_node] : groups) {
    for (const auto& [node, ranks] : on_node) fewest = std::min(fewest, ranks);
  }
  return fewest;
}

TEST_CASE("Groups lie where counting their ranks says") {
  using enum Dimension;
  for (const std::array<Dimension, 4> order : {std::array{tp, cp, dp, pp}, {tp, cp, pp, dp}, {pp, tp, dp, cp}}) {
    for (const int per_node : {4, 6, 8, 9, 72}) {
      for (const int slices : {1, 2, 3, 8}) {
        for (const int parts : {1, 2, 3}) {
          for (const int replicas : {2, 3, 4, 12, 40}) {
            Layout layout;
            layout.order = order;
            layout.tp = slices, layout.cp = parts, layout.dp = replicas, layout.pp = 2;
            const GroupPlace place = replicas_of(layout, per_node);
            INFO(to_text(layout) << " on nodes of " << per_node << ", order " << static_cast<int>(order[2]));
            CHECK((place.fewest == 0 ? place.per_node : place.fewest) == fewest_counted(layout, per_node));
            CHECK(place.ranks == parts * replicas);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace orrery
