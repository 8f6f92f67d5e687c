// Learning among neighbours: their graph, their times, their consensus.
#include "scenarios/federated/gossip_graph.hpp"

#include <set>

#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

bool connected(const GossipGraph& graph) {
  std::set<std::size_t> seen = {0};
  std::vector<std::size_t> next = {0};
  while (!next.empty()) {
    const std::size_t node = next.back();
    next.pop_back();
    for (const std::size_t other : graph[node]) {
      if (seen.insert(other).second) next.push_back(other);
    }
  }
  return seen.size() == graph.size();
}

GossipGraph graph_of(GossipTopology topology, int degree, std::size_t nodes) {
  Random random(7);
  return gossip_graph(topology, degree, nodes, random);
}

FederatedLab ring_of(std::size_t clients) {
  FederatedLab lab(std::vector<LabClient>(clients, {1, 1, 0.1, 0}));
  lab.options().algorithm.kind = AlgorithmKind::gossip;
  return lab;
}

}  // namespace

TEST_CASE("ring, torus and random graphs are connected, symmetric and as regular as they say") {
  CHECK(graph_of(GossipTopology::ring, 0, 4) == GossipGraph{{1, 3}, {0, 2}, {1, 3}, {0, 2}});
  CHECK(graph_of(GossipTopology::ring, 0, 2) == GossipGraph{{1}, {0}});
  CHECK(graph_of(GossipTopology::torus, 0, 9)[4] == std::vector<std::size_t>{1, 3, 5, 7});
  CHECK(graph_of(GossipTopology::torus, 0, 7) == graph_of(GossipTopology::ring, 0, 7));
  for (const int degree : {2, 3, 4, 5}) {
    for (const std::size_t nodes : {6, 8, 20, 150}) {
      const GossipGraph graph = graph_of(GossipTopology::random, degree, nodes);
      CHECK(connected(graph));
      for (std::size_t node = 0; node < nodes; ++node) {
        CHECK(graph[node].size() == static_cast<std::size_t>(degree));
        CHECK(std::set(graph[node].begin(), graph[node].end()).size() == graph[node].size());
        for (const std::size_t other : graph[node]) {
          CHECK(other != node);
          CHECK(std::count(graph[other].begin(), graph[other].end(), node) == 1);
        }
      }
    }
  }
  CHECK_THROWS_AS(graph_of(GossipTopology::random, 3, 5), Infeasible);
  CHECK_THROWS_AS(graph_of(GossipTopology::random, 4, 4), Infeasible);
  CHECK_THROWS_AS(graph_of(GossipTopology::ring, 0, 1), Infeasible);
}

TEST_CASE("Metropolis-Hastings weights are doubly stochastic, whoever takes part") {
  const GossipGraph graph = graph_of(GossipTopology::random, 3, 10);
  for (const std::size_t absent : {10U, 0U, 4U}) {
    std::vector<bool> takes_part(10, true);
    if (absent < 10) takes_part[absent] = false;
    std::vector<double> columns(10, 0.0);
    for (const MixedSlot& row : metropolis_weights(graph, takes_part)) {
      double sum = 0;
      for (const SlotShare& one : row.of) {
        CHECK(one.share > 0);
        CHECK(one.slot != 1 + absent);
        sum += one.share;
        columns[one.slot - 1] += one.share;
      }
      CHECK(sum == Approx(1));
    }
    for (std::size_t node = 0; node < 10; ++node) CHECK(columns[node] == Approx(node == absent ? 0 : 1));
  }
  // Two neighbours in a ring of three: a third each.
  const auto rows = metropolis_weights(graph_of(GossipTopology::ring, 0, 3), {true, true, true});
  CHECK(rows[0].of[0].share == Approx(1.0 / 3));
}

TEST_CASE("a gossip round of four by hand: training, two models out and two in, the average") {
  FederatedLab lab = ring_of(4);
  lab.group(0).per_sample = Seconds(0.4);  // 4 s; the others 1 s
  const Way way = lab.run();
  check_books(way);
  // 1 and 3 send two models each at 1: one of each to 0, which shares its line down, and one of each to 2; 2 sends one
  // to either. All lines are shared by two, so all these six arrive at 3. 0 sends from 4 to 6.
  const Trip &slow = trip_of(way, 0), &next = trip_of(way, 1), &far = trip_of(way, 2);
  CHECK(slow.compute.value() == Approx(4));
  CHECK(slow.upload.value() == Approx(2));
  CHECK(slow.download.value() == 0);  // its neighbours' models came while it trained
  CHECK(slow.end.value() == Approx(6));
  CHECK(next.compute.value() == Approx(1));
  CHECK(next.upload.value() == Approx(2));
  CHECK(next.waiting.value() == Approx(1));
  CHECK(next.download.value() == Approx(2));
  CHECK(far.end.value() == Approx(3));
  for (const Trip& trip : way.federated.trips) {
    CHECK(trip.up.value() == 2 * model);
    CHECK(trip.down.value() == 2 * model);
  }
  const ServerStep& step = way.federated.steps.at(0);
  CHECK(step.aggregation.value() == Approx(0.3));
  CHECK(step.end.value() == Approx(6.3));
  // Three end at 6 with its last messages, but the others had waited for it.
  CHECK(way.federated.trips.at(static_cast<std::size_t>(step.critical_trip)).client == 0);
  CHECK(way.federated.lines.at(0).up == Bytes(0));  // no server
}

TEST_CASE("a neighbour that is offline pauses both, and one that gives up is left out") {
  FederatedLab lab = ring_of(3);
  lab.online(0, 100, {{0, 2}, {5, 100}});
  const Way resumed = lab.run();
  check_books(resumed);
  CHECK(trip_of(resumed, 0).offline.value() == Approx(3));
  CHECK(trip_of(resumed, 0).up.value() == Approx(2 * model));
  CHECK(trip_of(resumed, 0).end.value() == Approx(6));
  lab.participation().offline = OfflinePolicy::restart;
  const Way again = lab.run();
  check_books(again);
  CHECK(trip_of(again, 0).up.value() == Approx(3 * model));  // half of each of two, and both once more
  lab.participation().offline = OfflinePolicy::give_up;
  const Way without = lab.run();
  check_books(without);
  CHECK(count(without, TripEnd::dropped) == 1);
  CHECK(trip_of(without, 0).up.value() == Approx(model));
  CHECK(trip_of(without, 1).how == TripEnd::reported);
}

TEST_CASE("neighbours that are never online together for long enough drop out in the end") {
  FederatedLab lab = ring_of(2);
  lab.participation().offline = OfflinePolicy::restart;
  lab.online(0, 100, {{0, 0.5}, {10, 20}});  // together for half of the second that a model takes
  lab.online(1, 100, {{0, 0.5}, {30, 40}});
  const Way way = lab.run();
  check_books(way);
  CHECK(way.status == WayStatus::ok);
  CHECK(count(way, TripEnd::dropped) == 1);
  // Two times online in a hundred seconds, the first after training at 10 s: the thousandth ends at 50000.5 s.
  CHECK(trip_of(way, 0).end.value() == Approx(50000.5));
}

TEST_CASE("a transfer that never fits into the time online ends the run with a reason") {
  FederatedLab lab(std::vector<LabClient>(2, {1, 0.1, 0.1, 0}));  // 10 s up
  for (std::size_t client = 0; client < 2; ++client) lab.online(client, 20, {{0, 6}});
  lab.participation().offline = OfflinePolicy::restart;
  lab.options().algorithm.kind = AlgorithmKind::fedasync;
  const Way way = lab.run();
  CHECK(way.error.substr(0, 9) == "round 1: ");
  CHECK(way.error.find("all dropped out: no update arrives") != std::string::npos);
  lab.options().algorithm.kind = AlgorithmKind::fedavg;
  const Way rounds = lab.run();
  check_books(rounds);
  CHECK(count(rounds, TripEnd::dropped) == 2);
}

TEST_CASE("gossip learns and draws towards consensus, the more neighbours the more") {
  double last_ring = 0, last_full = 0;
  for (const bool full : {false, true}) {
    FederatedLab lab = ring_of(8);
    lab.learn(0.05);
    lab.options().partition.kind = PartitionKind::shards;
    lab.options().rounds = 4;
    if (full) {
      lab.options().topology = GossipTopology::random;
      lab.options().degree = 6;
    }
    const Way way = lab.run();
    check_books(way);
    REQUIRE(way.curve.size() == 4);
    REQUIRE(way.curve.back().consensus);
    double sent = 0;
    for (const Trip& trip : way.federated.trips) sent += trip.up.value();
    CHECK(sent == Approx(model * 4 * 8 * (full ? 6 : 2)));
    CHECK(way.curve.back().accuracy > 0.5);
    (full ? last_full : last_ring) = *way.curve.back().consensus;
  }
  CHECK(last_full < 0.5 * last_ring);
}

TEST_CASE("without local steps repeated averages end in consensus") {
  FederatedLab lab = ring_of(5);
  lab.learn(1e-12);
  lab.options().rounds = 3;
  const Way way = lab.run();
  REQUIRE(way.curve.size() == 3);
  CHECK(*way.curve.back().consensus < 1e-4);
}
