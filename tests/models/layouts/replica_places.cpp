// Who stands where on a cluster of two kinds of nodes.
#include "models/layouts/replica_places.hpp"

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
