// Asynchronous federations, by hand.
#include <algorithm>
#include <cmath>

#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

/// Two clients of the given training seconds a trip, everything else in next to no time.
FederatedLab two_clients(double first, double second) {
  return FederatedLab({{1e6, 1e6, first / 10, 0}, {1e6, 1e6, second / 10, 0}});
}

void make(FederatedLab& lab, AlgorithmKind kind, int rounds) {
  lab.options().algorithm.kind = kind;
  lab.options().rounds = rounds;
  lab.scenario.federation.server.memory_bandwidth = BytesPerSecond(1e15);
  lab.scenario.federation.server_link.up = lab.scenario.federation.server_link.down = BytesPerSecond(1e15);
}

}  // namespace

TEST_CASE("staleness counts server steps since the download, not since the report before") {
  FederatedLab lab({{1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.35, 0}});  // a reports every second, b every 3.5 seconds
  make(lab, AlgorithmKind::fedasync, 9);
  const Way way = lab.run();
  check_books(way);
  // a at 1, 2, 3; b at 3.5; a at 4, 5, 6, 7; b at 7 (a was there first, by the order in which they were sent).
  std::string story;
  for (const Trip& trip : way.federated.trips) {
    if (trip.how != TripEnd::reported) continue;
    story += (trip.client == 0 ? "a" : "b") + std::to_string(trip.staleness) + " ";
  }
  const bool a_first = story == "a0 a0 a0 b3 a1 a0 a0 a0 b4 ";
  const bool b_first = story == "a0 a0 a0 b3 a1 a0 a0 b3 a1 ";
  INFO(story);
  CHECK((a_first || b_first));
  CHECK(way.federated.steps.size() == 9);
  CHECK(count(way, TripEnd::unused) >= 1);  // somebody is always at work
}

TEST_CASE("a client that is alone at work is never stale") {
  FederatedLab lab = FederatedLab({{1, 1, 0.1, 0}, {1, 1, 0.1, 0}});
  make(lab, AlgorithmKind::fedasync, 6);
  lab.participation().clients_per_round = 1;
  const Way way = lab.run();
  check_books(way);
  REQUIRE(count(way, TripEnd::reported) == 6);
  for (const Trip& trip : way.federated.trips) CHECK(trip.staleness == 0);
  CHECK(way.federated.steps.back().end.value() == Approx(6 * 3.0));
}

TEST_CASE("the server takes one step at a time: reports that arrive meanwhile wait, and their clients with them") {
  FederatedLab lab({{1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.1, 0}});
  make(lab, AlgorithmKind::fedasync, 6);
  lab.scenario.federation.server.memory_bandwidth = BytesPerSecond(2 * model);  // a step takes a second
  const Way way = lab.run();
  check_books(way);
  // All three report at 1; steps end at 2, 3, 4; each client begins anew when its step has ended and is back a second
  // later, when the server is done with the next one.
  const auto& steps = way.federated.steps;
  for (std::size_t i = 0; i < 6; ++i) CHECK(steps[i].end.value() == Approx(2.0 + static_cast<double>(i)).epsilon(1e-4));
  std::vector<std::int32_t> staleness;
  for (const Trip& trip : way.federated.trips) {
    if (trip.how == TripEnd::reported) staleness.push_back(trip.staleness);
  }
  CHECK(staleness == std::vector<std::int32_t>{0, 1, 2, 2, 2, 2});
}

TEST_CASE("a buffer fills before the server steps, and clients go on meanwhile") {
  FederatedLab lab({{1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.1, 0}, {1e6, 1e6, 0.1, 0}});
  make(lab, AlgorithmKind::fedbuff, 4);
  lab.options().algorithm.buffer = 2;
  lab.participation().clients_per_round = 1;
  const Way way = lab.run();
  check_books(way);
  CHECK(count(way, TripEnd::reported) == 8);
  // One at a time, a second each: a step every two seconds.
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(way.federated.steps[i].end.value() == Approx(2.0 * static_cast<double>(i + 1)).epsilon(1e-4));
  }
  // The two of a step are different clients: one whose report waits in the buffer is not asked again.
  for (std::int32_t round = 0; round < 4; ++round) {
    std::vector<std::int32_t> clients;
    for (const Trip& trip : way.federated.trips) {
      if (trip.round == round && trip.how == TripEnd::reported) clients.push_back(trip.client);
    }
    REQUIRE(clients.size() == 2);
    CHECK(clients[0] != clients[1]);
  }
}

TEST_CASE("a buffer larger than the federation is refused") {
  FederatedLab lab({{}, {}});
  make(lab, AlgorithmKind::fedbuff, 2);
  lab.options().algorithm.buffer = 3;
  const Way way = lab.run();
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error == "a buffer of 3 updates never fills: there are 2 clients, each with one update in it at a time");
}

TEST_CASE("places that nobody can take wait for the next client to come online") {
  FederatedLab lab = two_clients(1, 1);
  make(lab, AlgorithmKind::fedasync, 4);
  lab.online(0, 1000, {{0, 1.5}, {20, 1000}});
  lab.online(1, 1000, {{10, 13.5}});
  const Way way = lab.run();
  check_books(way);
  CHECK(trip_of(way, 0, 0).end.value() == Approx(1).epsilon(1e-4));
  // The second trip of client 0 is cut off at 1.5 and ends when it is back at 20; client 1 comes at 10.
  CHECK(trip_of(way, 1, 1).begin.value() == Approx(10));
  CHECK(trip_of(way, 1, 1).end.value() == Approx(11).epsilon(1e-4));
}

TEST_CASE("an asynchronous run in which every client drops out ends with a reason, not in a hang") {
  FederatedLab lab = two_clients(5, 5);
  make(lab, AlgorithmKind::fedasync, 4);
  lab.online(0, 10, {{0, 2}});
  lab.online(1, 10, {{0, 3}});
  lab.participation().offline = OfflinePolicy::give_up;
  const Way way = lab.run();
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error == "round 1: the last 1200 clients all dropped out: no update arrives");
}

TEST_CASE("with stragglers a buffer needs fewer client trips than rounds that keep the first reports") {
  // Half of the clients are slow, and the rounds ask 1.3 times too many so as not to wait for them.
  std::vector<LabClient> clients;
  for (int i = 0; i < 80; ++i) clients.push_back({100, 100, i % 2 == 0 ? 0.001 : 0.01, 0});
  FederatedLab rounds(clients);
  rounds.learn(0.02);
  rounds.scenario.workload.target_accuracy = 0.9;
  rounds.participation().clients_per_round = 30;
  rounds.participation().over_selection = 1.3;
  rounds.options().rounds = 100;
  FederatedLab buffered(clients);
  buffered.learn(0.02);
  buffered.scenario.workload.target_accuracy = 0.9;
  buffered.participation().clients_per_round = 30;
  buffered.options().algorithm.kind = AlgorithmKind::fedbuff;
  buffered.options().algorithm.buffer = 5;
  buffered.options().rounds = 400;
  for (FederatedLab* lab : {&rounds, &buffered}) {
    lab->scenario.federation.server.memory_bandwidth = BytesPerSecond(1000 * model);
  }
  const Way synchronous = rounds.run(), fedbuff = buffered.run();
  check_books(synchronous);
  check_books(fedbuff);
  REQUIRE(synchronous.target_reached);
  REQUIRE(fedbuff.target_reached);
  CHECK(fedbuff.federated.trips.size() < synchronous.federated.trips.size());
}

TEST_CASE("asynchronous SGD: the workers of a cluster, each with a gradient at a time") {
  FederatedLab lab({{}, {}});
  make(lab, AlgorithmKind::async_sgd, 6);
  StrategySpec& strategy = lab.strategy();
  strategy.kind = StrategyKind::async;
  strategy.devices = 3;
  ClusterDescription& cluster = strategy.cluster.description;
  cluster.device = lab.group(0).device;
  cluster.device.memory_bandwidth = BytesPerSecond(1e15);
  cluster.nodes = 3;
  cluster.network_link = lab.group(0).link;
  cluster.network_link->latency = Seconds(0.5);
  strategy.federated.participation.clients_per_round = 3;
  strategy.federated.local_batch = 2;
  lab.scenario.workload.dataset_samples = 30;
  const Way way = lab.run();
  check_books(way);
  CHECK(way.samples == std::vector<std::int64_t>{10, 10, 10});
  CHECK(way.samples_per_step == 2);
  // The server's port is one of the cluster's: three models share it, after the link's latency once.
  CHECK(trip_of(way, 0).download.value() == Approx(0.5 + 3));
  for (const Trip& trip : way.federated.trips) {
    if (trip.how == TripEnd::reported) CHECK(trip.compute_share == 1);
  }
}

TEST_CASE("with fewer clients online than places everybody works who is there, as soon as he is") {
  FederatedLab lab(std::vector<LabClient>(4, {1e6, 1e6, 0.1, 0}));
  make(lab, AlgorithmKind::fedasync, 12);
  lab.online(0, 100, {{0, 100}});
  lab.online(1, 100, {{2.5, 100}});
  lab.online(2, 100, {{0, 1.5}, {4.25, 100}});
  lab.online(3, 100, {{50, 100}});
  const Way way = lab.run();
  check_books(way);
  const auto begins = [&](std::int32_t client) {
    std::vector<double> times;
    for (const Trip& trip : way.federated.trips) {
      if (trip.client == client) times.push_back(std::round(trip.begin.value() * 100) / 100);
    }
    return times;
  };
  CHECK(begins(0) == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(begins(1) == std::vector<double>{2.5, 3.5, 4.5, 5.5});
  // Its second trip is trained offline from 1.5 on and sent at 4.25.
  CHECK(begins(2) == std::vector<double>{0, 1, 4.25, 5.25});
}
