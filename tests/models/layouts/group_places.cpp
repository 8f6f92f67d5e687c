// Where groups of a layout sit on nodes that are filled in rank order.
#include "models/layouts/group_place.hpp"

#include <algorithm>
#include <map>

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
  CHECK(replicas_of(layout, 72) == GroupPlace{64, 56, 1, 8, 72});
  layout.dp = 16, layout.tp = 8, layout.pp = 1;
  CHECK(replicas_of(layout, 72) == GroupPlace{16, 9, 1, 7, 56});
  CHECK(place_of(layout, Dimension::tp, 72) == GroupPlace{8, 8, 1});
  layout.dp = 3, layout.tp = 4;  // on nodes of six the second of three has two ranks on either
  CHECK(place_of(layout, Dimension::tp, 6) == GroupPlace{4, 2, 1});
  CHECK(replicas_of(layout, 6) == GroupPlace{3, 2, 1, 1, 6});
  layout.dp = 1;
  CHECK(place_of(layout, Dimension::tp, 6) == GroupPlace{4, 4, 1});  // one node
}

/// Ranks of the replicas of a slice of a stage by node.
std::map<int, int> counted(const Layout& layout, int stage, int slice, int devices_per_node) {
  std::map<int, int> on_node;
  for (int replica = 0; replica < layout.dp; ++replica) {
    ++on_node[((stage * layout.dp + replica) * layout.tp + slice) / devices_per_node];
  }
  return on_node;
}

TEST_CASE("Groups lie where counting their ranks says") {
  for (const int per_node : {4, 6, 8, 9, 72}) {
    for (const int tp : {1, 2, 3, 4, 8}) {
      for (const int dp : {2, 3, 5, 8, 12, 40}) {
        for (const int pp : {1, 2, 3}) {
          Layout layout;
          layout.tp = tp, layout.dp = dp, layout.pp = pp;
          int most = 0, fewest = dp;
          for (int group = 0; group < pp * tp; ++group) {
            for (const auto& [node, ranks] : counted(layout, group / tp, group % tp, per_node)) {
              most = std::max(most, ranks), fewest = std::min(fewest, ranks);
            }
          }
          const GroupPlace place = replicas_of(layout, per_node);
          const int found = place.fewest == 0 ? place.per_node : place.fewest;
          INFO(to_text(layout) << " on nodes of " << per_node);
          CHECK(place.per_node <= most);
          CHECK(found <= fewest);
          CHECK(found >= (per_node % tp == 0 ? fewest : std::min(fewest, per_node / tp)));
        }
      }
    }
  }
}

}  // namespace
}  // namespace orrery
