// A hierarchy of edges, by hand.
#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

FederatedLab two_edges() {
  // Clients 0 and 1 at edge 0, 2 and 3 at edge 1; 10 samples in 1 s, client 3 in 2 s; a model a second on every line.
  FederatedLab lab({{1, 1, 0.1, 0}, {1, 1, 0.1, 0}, {1, 1, 0.1, 0}, {1, 1, 0.2, 0}});
  lab.options().algorithm.kind = AlgorithmKind::hierarchical;
  lab.options().edges = 2;
  return lab;
}

}  // namespace

TEST_CASE("a cloud round: model to the edges, a round at each, models back, all by hand") {
  FederatedLab lab = two_edges();
  lab.options().edge_link.down = lab.options().edge_link.up = BytesPerSecond(model);
  lab.options().edge_link.latency = Seconds(0.5);
  const Way way = lab.run();
  check_books(way);
  // Edges get the model at 1.5; clients theirs at 2.5, each over its own line; they are trained at 3.5 (client 3: 4.5)
  // and have reported at 4.5 (5.5); an edge averages two updates in 0.3 s and sends for 1.5 s: 6.3 and 7.3.
  CHECK(trip_of(way, 0).begin.value() == Approx(1.5));
  CHECK(trip_of(way, 1).download.value() == Approx(1));
  CHECK(trip_of(way, 0).hub == 0);
  CHECK(trip_of(way, 3).hub == 1);
  CHECK(trip_of(way, 3).end.value() == Approx(5.5));
  const ServerStep& step = way.federated.steps.at(0);
  CHECK(step.edge_compute.value() == Approx(0.6));
  CHECK(step.aggregation.value() == Approx(0.3));  // two edges' models and the result
  CHECK(step.end.value() == Approx(5.5 + 0.3 + 1.5 + 0.3));
  CHECK(step.backhaul.value() == 4 * model);
  CHECK(step.backhaul_time.value() == Approx(1.5 + (7.3 - 4.8)));
  CHECK(way.federated.trips[static_cast<std::size_t>(step.critical_trip)].client == 3);
  REQUIRE(way.federated.lines.size() == 3);
  CHECK(way.federated.lines[1].name == "edge0");
  CHECK(way.federated.lines[1].down.value() == Approx(model));
  CHECK(way.federated.lines[0].up.value() == Approx(2 * model));
}

TEST_CASE("the server's line is shared by the edges") {
  FederatedLab lab = two_edges();
  lab.options().edge_link.down = lab.options().edge_link.up = BytesPerSecond(model);
  lab.scenario.federation.server_link.up = BytesPerSecond(model);
  CHECK(trip_of(lab.run(), 0).begin.value() == Approx(2));
}

TEST_CASE("an edge holds edge_rounds rounds for one of the cloud") {
  FederatedLab lab = two_edges();
  lab.options().edge_rounds = 3;
  lab.options().rounds = 2;
  const Way way = lab.run();
  check_books(way);
  CHECK(way.federated.trips.size() == 4 * 3 * 2);
  // Two models leave the server in 0.002 s. Edge 1: three rounds of 1 + 2 + 1 s and 0.3 s each; 0.001 s for the model
  // back, and the average.
  CHECK(way.federated.steps[0].end.value() == Approx(0.002 + 3 * 4.3 + 0.001 + 0.3));
  CHECK(way.federated.steps[0].edge_compute.value() == Approx(6 * 0.3));
  CHECK(way.samples_per_step == 120);
}

TEST_CASE("one edge with one round learns what a server alone learns, bit for bit") {
  const std::vector<LabClient> clients(4);
  FederatedLab flat(clients), edges(clients);
  for (FederatedLab* lab : {&flat, &edges}) {
    lab->learn(0.05);
    lab->options().rounds = 2;
  }
  edges.options().algorithm.kind = AlgorithmKind::hierarchical;
  edges.options().edges = 1;
  const Way one = flat.run(), other = edges.run();
  REQUIRE(one.curve.size() == 2);
  REQUIRE(other.curve.size() == 2);
  CHECK(one.curve[1].loss == other.curve[1].loss);
  CHECK(one.curve[1].train_loss == other.curve[1].train_loss);
}

TEST_CASE("edges learn: two of them come close to the same accuracy") {
  FederatedLab lab = two_edges();
  lab.learn(0.05);
  lab.options().rounds = 3;
  lab.options().edge_rounds = 2;
  const Way way = lab.run();
  check_books(way);
  CHECK(way.curve.back().accuracy > 0.9);
}
