#include "analysis/metrics/federated_energy.hpp"

#include <vector>

#include "analysis/metrics/ledger.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

constexpr double relative = 1e-9;

FederatedTotals totals_of(const FederatedRun& run, const Population& population, const FederationSite& site,
                          const EnergySpec& energy) {
  const auto power = FederationPower::of(population, site, energy);
  REQUIRE(power.has_value());
  return Ledger(run, site, power).after(run.steps.size());
}

void check(Joules joules, double expected) {
  CHECK(joules.value() == Approx(expected).epsilon(relative));
}

TEST_CASE("three clients: energy of a round by hand") {
  EnergySpec energy;
  energy.pue = 1.5;
  const FederatedTotals totals = totals_of(three_client_round().federated, hand_population(), {}, energy);
  const FederatedEnergy joules = totals.energy();
  // 100 W while they train: 3 + 3 + 4 s.
  check(joules.client_compute, 100 * 10);
  // 10 W idle and 0.5 W radio for 1 + 1 + 2 s; 8e6 bits each at 50 nJ; a whole tail of 0.2 J each, as training takes
  // longer than it.
  check(joules.download, 10.5 * 4 + 3 * (8e6 * 50e-9) + 3 * 0.2);
  // The same for 1 + 2 + 3 s at 100 nJ.
  check(joules.upload, 10.5 * 6 + 3 * (8e6 * 100e-9) + 3 * 0.2);
  check(joules.client_idle, 0);
  // A fifth of a gateway of 10 W and a line of 1.5 W while data moves, for 2 + 3 + 5 s; 6 MB at 240 J/GB.
  check(joules.network, (10.0 / 5 + 1.5) * 10 + 6e-3 * 240);
  // The server averages for 1 of 10 s; its line: 5 W for 10 s and 50 pJ for 48e6 bits. All x PUE.
  check(joules.server_compute, 1.5 * 100 * 1);
  check(joules.server_idle, 1.5 * (10 * 9 + 5 * 10 + 50e-12 * 48e6));
  check(joules.total(), 1000 + 43.8 + 66 + 36.44 + 150 + 1.5 * 140.0024);
  CHECK(totals.wasted_energy.total().value() == 0);

  const EnergyParts parts = energy_parts(joules);
  check(parts.compute, 1000 + 150);
  check(parts.communication, 43.8 + 66 + 36.44);
  check(parts.idle, 1.5 * 140.0024);
  check(parts.total(), joules.total().value());
}

TEST_CASE("what did not report is waste, and useful and waste are everything") {
  const FederatedTotals totals = totals_of(two_rounds_with_waste().federated, hand_population(), {}, {});
  // Client 0: 1 s down, 2 s of training, half a megabyte up in 1 s; nothing for the 2 s that it was offline.
  const double dropped = (10.5 + 0.4 + 0.2) + 200 + (10.5 + 0.4 + 0.2) + (3.5 * 2 + 1.5e-3 * 240);
  // Client 3: 1 s down, 1 s waiting at idle power, 6 s of training, nothing up.
  const double late = (10.5 + 0.4 + 0.2) + 10 + 600 + 0 + (3.5 * 1 + 1e-3 * 240);
  check(totals.wasted_energy.total(), dropped + late);
  check(totals.wasted_energy.client_idle, 10);
  // The server of the second round waits for 8 s in vain: that is no client's waste.
  const double first = 1000 + 43.8 + 66 + 36.44 + 100 + 140.0024;
  check(totals.useful.total(), first + (10 + 5) * 8 + 50e-12 * 8 * 2.5e6);
  check(totals.energy().total(), totals.useful.total().value() + totals.wasted_energy.total().value());
  CHECK(totals.wasted.value() == 2.5e6);
}

TEST_CASE("bytes that a client sent again are waste, with the joules of their time and their way") {
  FederatedRun run = three_client_round().federated;
  Trip& trip = run.trips[2];  // 2 s for a megabyte down, 4 s of training, 3 s for one up
  trip.up = Bytes(1.5e6);
  trip.discarded_up = Bytes(5e5);
  const FederatedTotals totals = totals_of(run, hand_population(), {}, {});
  CHECK(totals.wasted.value() == 5e5);
  CHECK(totals.down.value() + totals.up.value() == 6.5e6);
  // A third of the 3 s: idle power and radio, 4e6 bits, the access line, half a megabyte over the wide area.
  const double again = 10.5 * 1 + 4e6 * 100e-9 + 3.5 * 1 + 0.5e-3 * 240;
  check(totals.wasted_energy.total(), again);
  check(totals.useful.client_compute, 1000);
  check(totals.energy().upload, 10.5 * 6 + 3 * (8e6 * 100e-9) + 4e6 * 100e-9 + 3 * 0.2);
  Trip late = trip;
  late.how = TripEnd::late;
  const Population population = hand_population();
  const auto power = FederationPower::of(population, {}, {});
  CHECK(power->spent(late, {}).useful.total().value() == 0);
  check(power->spent(late, {}).wasted.total(), power->trip(trip).total().value());
}

TEST_CASE("a tail is cut short by a transfer that follows soon") {
  FederatedRun run = three_client_round().federated;
  run.trips = {hand_trip(0, 0, 0, 1, 0.25, 1)};
  run.steps[0].critical_trip = 0;
  const FederatedEnergy joules = totals_of(run, hand_population(), {}, {}).energy();
  check(joules.download, 10.5 + 0.4 + 0.2 / 4);
  check(joules.upload, 10.5 + 0.8 + 0.2);
}

TEST_CASE("a base station's standing power is not the client's: cellular links have no access line") {
  Population population = hand_population();
  population.groups[0].link.kind = "cellular";
  const FederatedRun run = three_client_round().federated;
  check(totals_of(run, population, {}, {}).energy().network, 6e-3 * 240);
}

TEST_CASE("the intensity model takes the place of access lines and wide area, by kind of link") {
  EnergySpec energy;
  energy.network = NetworkEnergy::intensity;
  Population population = hand_population();
  const FederatedRun run = three_client_round().federated;
  check(totals_of(run, population, {}, energy).energy().network, 6e-3 * 0.006 * 3.6e6);
  population.groups[0].link.kind = "cellular";
  check(totals_of(run, population, {}, energy).energy().network, 6e-3 * 0.05 * 3.6e6);
}

TEST_CASE("clients on local lines have no gateway: they pay their own port, and send nothing over the wide area") {
  Population population = hand_population();
  population.groups[0].link = hand_server_line();
  const FederatedRun run = three_client_round().federated;
  const double ports = 5 * 20 + 50e-12 * 48e6;
  EnergySpec energy;
  for (const NetworkEnergy network : {NetworkEnergy::power, NetworkEnergy::intensity}) {
    energy.network = network;
    check(totals_of(run, population, {}, energy).energy().network, ports);
  }
  population.server_link.kind = "wan";  // they reach the server over the wide area
  check(totals_of(run, population, {}, {}).energy().network, ports + 6e-3 * 240);
}

TEST_CASE("every group's trips go as far as its own link and the server's: one group far away moves no other") {
  Population population = hand_population();
  population.groups.push_back(population.groups[0]);
  population.groups[1].link = hand_server_line();
  population.clients[2].group = 1;  // of 0, 1 and 2
  CHECK(trip_scope(population, {}, population.groups[0]) == LinkScope::wan);
  CHECK(trip_scope(population, {}, population.groups[1]) == LinkScope::inter_node);
  check(totals_of(three_client_round().federated, population, {}, {}).energy().network,
        3.5 * 5 + 4e-3 * 240 + 5 * 9 + 50e-12 * 16e6);
  FederationSite peers;
  peers.server = FederationSite::Server::none;
  CHECK(trip_scope(population, peers, population.groups[1]) == LinkScope::wan);
}

TEST_CASE("edges stand by for the whole step, and only their backhaul crosses the wide area and the server's line") {
  FederationSite site;
  site.edges = 2;
  site.edge_device = hand_device();
  site.edge_device.idle = Watts(20);
  site.edge_link = hand_server_line();
  site.edge_link.port = Watts(3);
  site.edge_link.kind = "wan";
  FederatedRun run = three_client_round().federated;
  for (Trip& trip : run.trips) trip.hub = 0;
  run.steps[0].backhaul = Bytes(4e6);
  run.steps[0].edge_compute = Seconds(2);
  EnergySpec energy;
  energy.pue = 2;
  const FederatedTotals totals = totals_of(run, hand_population(), site, energy);
  const FederatedEnergy joules = totals.energy();
  check(joules.network, 3.5 * 10 + 4e-3 * 240);
  check(joules.server_compute, 2 * (100 * 1 + 100 * 2));
  const double bits = 8 * 4e6 * 50e-12;
  check(joules.server_idle, 2 * (10 * 9 + 5 * 10 + bits + 20 * (20 - 2) + 3 * 20 + bits));
  CHECK(totals.sent.value() == 10e6);
  CHECK(totals.backhaul.value() == 4e6);

  // Edges in the server's building: how far away the clients are does not matter.
  site.edge_link.kind = "ethernet";
  check(totals_of(run, hand_population(), site, energy).energy().network, 3.5 * 10);
}

TEST_CASE("gossip has no server: clients average, and a message from peer to peer counts once") {
  FederationSite site;
  site.server = FederationSite::Server::none;
  Population population = hand_population();
  population.server = {};
  const FederatedTotals totals = totals_of(three_client_round().federated, population, site, {});
  CHECK(totals.energy().server().value() == 0);
  check(totals.energy().client_compute, 1000 + 3 * 100 * 1);  // all three average for a second
  check(totals.energy().network, 3.5 * 10 + 3e-3 * 240);
  CHECK(totals.sent.value() == 3e6);
}

TEST_CASE("a gossip's trip is one burst: reception while it sends is drawn too, and the radio's tail once") {
  FederationSite site;
  site.server = FederationSite::Server::none;
  Population population = hand_population();
  FederatedRun run;
  run.trips = {hand_trip(0, 0, 0, 0, 4, 2)};  // a megabyte comes in while it sends for 2 s
  run.steps.resize(1);
  run.steps[0].end = Seconds(6);
  FederatedEnergy joules = totals_of(run, population, site, {}).energy();
  check(joules.download, 8e6 * 50e-9);
  check(joules.upload, 10.5 * 2 + 8e6 * 100e-9 + 0.2);
  population.groups[0].link.radio->maximum = Watts(1);  // 1 W x 2 s for 1 + 0.4 + 0.8 J
  joules = totals_of(run, population, site, {}).energy();
  check(joules.download + joules.upload, 10 * 2 + 2 + 0.2);
}

TEST_CASE("workers of a cluster spin while they wait, share a port, and stand behind the PUE with their nodes") {
  StrategySpec strategy;
  strategy.kind = StrategyKind::async;
  strategy.devices = 3;
  ClusterDescription& cluster = strategy.cluster.description;
  cluster.devices_per_node = 2;
  cluster.network_link = hand_server_line();
  cluster.rest_idle = Watts(30);
  cluster.rest_training = Watts(40);
  const FederationSite site = site_of(strategy);
  CHECK(site.workers == FederationSite::Workers::cluster);
  CHECK(site.port_share == 0.5);
  CHECK(site.rest.value() == 80);  // two nodes

  Population population = hand_population();
  population.groups[0].link = hand_server_line();
  EnergySpec energy;
  energy.pue = 2;
  const FederatedEnergy joules = totals_of(three_client_round().federated, population, site, energy).energy();
  check(joules.client_compute, 2 * 1000);
  check(joules.download, 2 * 0.45 * 200 * 4);
  check(joules.upload, 2 * 0.45 * 200 * 6);
  check(joules.network, 2 * (2.5 * 20 + 50e-12 * 48e6));
  check(joules.server_compute, 2 * (100 + 80 * 10));
}

TEST_CASE("an algorithm's coordination says who serves the clients") {
  StrategySpec strategy;
  strategy.kind = StrategyKind::federated;
  strategy.federated.algorithm.kind = AlgorithmKind::gossip;
  CHECK(site_of(strategy).server == FederationSite::Server::none);
  strategy.federated.algorithm.kind = AlgorithmKind::hierarchical;
  strategy.federated.edges = 5;
  CHECK(site_of(strategy).edges == 5);
  strategy.federated.algorithm.kind = AlgorithmKind::fedavg;
  CHECK(site_of(strategy).edges == 0);
  CHECK(site_of(strategy).server == FederationSite::Server::present);
}

TEST_CASE("a device without a figure makes the energy unknown") {
  Population population = hand_population();
  population.groups[0].device.typical = Watts(0);
  CHECK(FederationPower::of(population, {}, {}).has_value());
  population.groups[0].device.maximum = Watts(0);
  CHECK_FALSE(FederationPower::of(population, {}, {}).has_value());
  Population without_server = hand_population();
  without_server.server = {};
  CHECK_FALSE(FederationPower::of(without_server, {}, {}).has_value());
}

}  // namespace
}  // namespace orrery
