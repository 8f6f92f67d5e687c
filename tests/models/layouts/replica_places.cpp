// Who stands where on a cluster of two kinds of nodes.
#include "models/layouts/replica_places.hpp"

#include <array>
#include <set>

#include "tests/catch.hpp"

namespace orrery {
namespace {

using Kinds = std::vector<std::vector<NodeKinds>>;
using Numbers = std::vector<std::size_t>;

/// Two nodes of four devices of either kind.
ClusterDescription two_kinds() {
  ClusterDescription cluster;
  cluster.nodes = 2;
  cluster.devices_per_node = 4;
  cluster.more.push_back(cluster);
  return cluster;
}

Layout layout_of(int tp, int pp, int dp) {
  Layout layout;
  layout.tp = tp, layout.pp = pp, layout.dp = dp;
  return layout;
}

/// Of a stage of `count` replicas from `first` on.
NodeKinds kinds_by_device(const Layout& layout, const ClusterDescription& cluster, int first, int count, int stage) {
  std::set<std::size_t> kinds;
  for (int replica = first; replica < first + count; ++replica) {
    for (int part = 0; part < layout.cp; ++part) {
      for (int slice = 0; slice < layout.tp; ++slice) {
        kinds.insert(
            cluster.group_of_device(replica * stride(layout, Dimension::dp) + stage * stride(layout, Dimension::pp) +
                                    part * stride(layout, Dimension::cp) + slice * stride(layout, Dimension::tp)));
      }
    }
  }
  return {kinds.begin(), kinds.end()};
}

}  // namespace

TEST_CASE("replicas and stages stand on kinds in the order of devices") {
  const ClusterDescription cluster = two_kinds();
  // Replicas are numbered before stages: each stage is of one kind.
  const ReplicaPlaces stages = places_of_replicas(layout_of(4, 2, 2), cluster);
  CHECK(stages.kinds == Kinds{{{0}, {1}}});
  CHECK(stages.kind_of_replica == Numbers{0, 0});
  CHECK_FALSE(stages.replicas_differ());
  CHECK(stages.stages_differ());
  CHECK_FALSE(stages.stages_are_mixed());
  // Stages first: each replica is of one kind.
  Layout layout = layout_of(4, 2, 2);
  layout.order = {Dimension::tp, Dimension::cp, Dimension::pp, Dimension::dp};
  const ReplicaPlaces replicas = places_of_replicas(layout, cluster);
  CHECK(replicas.kinds == Kinds{{{0}, {0}}, {{1}, {1}}});
  CHECK(replicas.kind_of_replica == Numbers{0, 1});
  CHECK(replicas.replicas_differ());
  CHECK_FALSE(replicas.stages_differ());
  CHECK(replicas.of_stage(1) == NodeKinds{0, 1});
}

TEST_CASE("a group that reaches over the border is of both kinds") {
  const ReplicaPlaces places = places_of_replicas(layout_of(16, 1, 1), two_kinds());
  CHECK(places.kinds == Kinds{{{0, 1}}});
  CHECK(places.stages_are_mixed());
}

TEST_CASE("a layout that is smaller than the cluster leaves the last kind out") {
  CHECK(places_of_replicas(layout_of(4, 1, 2), two_kinds()).kinds == Kinds{{{0}}});
}

TEST_CASE("replicas of large clusters are placed as device by device") {
  const int first_nodes = GENERATE(1, 2, 3, 5);
  ClusterDescription cluster;
  cluster.devices_per_node = 4, cluster.nodes = first_nodes;
  cluster.more.push_back(cluster);
  cluster.more.push_back(cluster);
  cluster.more[1].nodes = 24;
  const std::array<std::array<Dimension, 4>, 3> orders = {
      {{Dimension::tp, Dimension::cp, Dimension::dp, Dimension::pp},
       {Dimension::pp, Dimension::tp, Dimension::cp, Dimension::dp},
       {Dimension::dp, Dimension::cp, Dimension::pp, Dimension::tp}}};
  for (const auto& [tp, pp, cp] : {std::array{1, 1, 1}, {4, 1, 1}, {2, 2, 1}, {3, 1, 1}, {1, 4, 2}, {1, 2, 3}}) {
    for (const int zero_group : {0, 1, 2, 3}) {
      for (const auto& order : orders) {
        Layout layout = layout_of(tp, pp, 12);
        layout.cp = cp, layout.order = order;
        if (zero_group > 0) layout.zero_stage = 3, layout.zero_group = zero_group;
        CAPTURE(first_nodes, tp, pp, cp, zero_group, layout.order);
        const ReplicaPlaces places = places_of_replicas(layout, cluster);
        const int met = layout.zero_stage == 0 || pp > 1 ? 1 : cp > 1 ? layout.dp : zero_group;
        for (int replica = 0; replica < layout.dp; ++replica) {
          const std::size_t kind = places.kind_of_replica[static_cast<std::size_t>(replica)];
          for (int stage = 0; stage < pp; ++stage) {
            CHECK(places.kinds[kind][static_cast<std::size_t>(stage)] ==
                  kinds_by_device(layout, cluster, replica / met * met, met, stage));
          }
        }
      }
    }
  }
}

TEST_CASE("replicas that meet in every pass stand on the kinds of all") {
  Layout experts = layout_of(4, 1, 4);
  experts.ep = 2;
  CHECK(places_of_replicas(experts, two_kinds()).kinds == Kinds{{{0}}, {{1}}});
  experts.ep = 4;
  CHECK(places_of_replicas(experts, two_kinds()).kinds == Kinds{{{0, 1}}});
  Layout sharded = layout_of(4, 1, 4);
  for (const int stage : {2, 3}) {
    sharded.zero_stage = stage;
    CHECK(places_of_replicas(sharded, two_kinds()).kinds == Kinds{{{0, 1}}});
  }
  sharded.zero_group = 2;
  CHECK(places_of_replicas(sharded, two_kinds()).kind_of_replica == Numbers{0, 0, 1, 1});
}

}  // namespace orrery
