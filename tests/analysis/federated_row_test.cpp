// Rows of co-simulated ways: what the ledger and the mean round say of them.
#include "analysis/metrics/result_row.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("a federated row: the mean round, client-seconds, electricity alone") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.cost = {0.3, 2.0, "EUR"};
  std::vector<Way> ways = {three_client_round()};
  ways[0].curve = {hand_point(1, 0.4)};
  const auto rows = result_rows(scenario, ways);
  const ResultRow& row = rows[0];
  CHECK(row.devices == Approx(2).epsilon(1e-12));  // 20 client-seconds in 10 s
  CHECK(row.throughput.mfu.value() == Approx(6e11 / (20 * 1e12)).epsilon(1e-12));
  CHECK(row.throughput.hfu.value() == Approx(300 * 2e9 / (20 * 1e12)).epsilon(1e-12));
  CHECK(row.throughput.samples_per_s == 30);
  CHECK(row.bytes_per_device == Approx(1e6).epsilon(1e-12));
  CHECK(row.traffic.wan.value() == 6e6);
  CHECK(row.bottleneck.link == "server.down");
  CHECK(row.budget.bytes->value() == Approx(6e6).epsilon(1e-12));
  CHECK(row.budget.device_hours.value() == Approx(20 / 3600.0).epsilon(1e-12));
  CHECK(row.budget.energy->total().value() == Approx(1000 + 43.8 + 66 + 36.44 + 100 + 140.0024).epsilon(1e-9));
  CHECK(row.budget.cost.value() == Approx(0.3 * row.budget.energy->total().value() / 3.6e6).epsilon(1e-12));
  CHECK(row.curve[0].point.energy.value() == Approx(row.budget.energy->total().value()).epsilon(1e-12));
}

TEST_CASE("a federated curve is what the ledger says after so many rounds") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.energy.gCO2e_per_kWh = 500;
  scenario.federation.groups[0].gCO2e_per_kWh = 50;
  std::vector<Way> ways = {two_rounds_with_waste()};
  for (std::size_t trip = 0; trip < 3; ++trip)
    ways[0].federated.trips[trip].staleness = static_cast<std::int32_t>(trip);
  ways[0].curve = {hand_point(1, 0.4), hand_point(2, 0.5)};
  const auto rows = result_rows(scenario, ways);
  const std::vector<CurveEntry>& curve = rows[0].curve;
  const double clients = 1000 + 43.8 + 66 + 36.44;
  const double server = 100 + 140.0024;
  CHECK(curve[0].spent.energy->total().value() == Approx(clients + server).epsilon(1e-9));
  CHECK(curve[0].spent.emissions_kg.value() == Approx((clients * 50 + server * 500) / 3.6e9).epsilon(1e-9));
  CHECK(curve[0].totals->trips.selected == 3);
  CHECK(curve[0].staleness_mean.value() == 1);
  CHECK(curve[0].staleness_max.value() == 2);
  CHECK(curve[1].totals->trips.selected == 5);
  CHECK(curve[1].totals->trips.dropped == 1);
  CHECK_FALSE(curve[1].staleness_mean.has_value());  // nobody reported since
  CHECK(curve[1].spent.energy->total().value() == Approx(rows[0].budget.energy->total().value()).epsilon(1e-12));
}

TEST_CASE("where [energy] has no grid, emissions are known when every joule is of a group's own") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.federation.groups[0].gCO2e_per_kWh = 50;
  const std::vector<Way> ways = {two_rounds_with_waste()};
  CHECK_FALSE(result_rows(scenario, ways)[0].budget.emissions_kg.has_value());  // the server's grid is unknown
  scenario.strategies[0].federated.algorithm.kind = AlgorithmKind::gossip;      // no server
  const Budget budget = result_rows(scenario, ways)[0].budget;
  REQUIRE(budget.emissions_kg.has_value());
  CHECK(budget.emissions_kg.value() == Approx(budget.energy->total().value() * 50 / 3.6e9).epsilon(1e-9));
  scenario.federation.groups[0].gCO2e_per_kWh = -1;
  CHECK_FALSE(result_rows(scenario, ways)[0].budget.emissions_kg.has_value());
}

TEST_CASE("bytes have one source: on the curve, at the target and in the row the ledger's, with all that came before") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.workload.target_accuracy = 0.5;
  std::vector<Way> ways = {two_rounds_with_waste()};
  Trip unused = hand_trip(2, 2, 12, 1, 5, 0);  // under way at the end
  unused.how = TripEnd::unused;
  unused.up = Bytes(0);
  ways[0].federated.trips.push_back(unused);
  ways[0].federated.steps[0].backhaul = Bytes(3e5);
  ways[0].federated.steps[1].backhaul = Bytes(1e5 / 3);  // such that thirds do not add up by luck
  ways[0].data_transfer.bytes = Bytes(7);
  ways[0].curve = {hand_point(0, 0.1), hand_point(1, 0.4), hand_point(2, 0.5)};  // their bytes are not the run's
  for (const AlgorithmKind kind : {AlgorithmKind::fedavg, AlgorithmKind::gossip}) {
    scenario.strategies[0].federated.algorithm.kind = kind;
    const auto rows = result_rows(scenario, ways);
    const ResultRow& row = rows[0];
    for (const CurveEntry& entry : row.curve) {
      const Bytes down = kind == AlgorithmKind::gossip ? Bytes{} : entry.totals->down;
      CHECK(entry.point.bytes == Bytes(7) + (down + entry.totals->up + entry.totals->backhaul));
    }
    CHECK(row.curve[0].point.bytes.value() == 7);
    CHECK(row.curve[2].totals->down.value() == 6e6);
    CHECK(row.curve[2].point.bytes == row.budget.bytes.value());
    CHECK(row.at_target->point.bytes == row.budget.bytes.value());
  }
}

TEST_CASE("bytes of a step by how far they went: every group's own way, and the backhaul's") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.federation.groups.push_back(scenario.federation.groups[0]);
  scenario.federation.groups[0].count = scenario.federation.groups[1].count = 2;
  scenario.federation.groups[1].link = hand_server_line();
  std::vector<Way> ways = {three_client_round()};
  CHECK(result_rows(scenario, ways)[0].traffic.wan.value() == 4e6);
  CHECK(result_rows(scenario, ways)[0].traffic.inter_node.value() == 2e6);
  scenario.strategies[0].federated.algorithm.kind = AlgorithmKind::hierarchical;
  scenario.strategies[0].federated.edges = 2;
  scenario.strategies[0].federated.edge_device = hand_device();
  scenario.strategies[0].federated.edge_link = hand_server_line();
  ways[0].federated.steps[0].backhaul = Bytes(8e6);
  CHECK(result_rows(scenario, ways)[0].traffic.inter_node.value() == 2e6 + 8e6);
  scenario.strategies[0].federated.edge_link.kind = "wan";
  CHECK(result_rows(scenario, ways)[0].traffic.wan.value() == 4e6 + 8e6);
}

TEST_CASE("steps beyond those that were run take the mean: a measured way makes fewer rounds than it will train") {
  const Scenario scenario = hand_scenario({StrategyKind::federated});
  std::vector<Way> ways = {three_client_round()};
  ways[0].measured = MeasuredSteps{1, Seconds(10), Seconds(10), Seconds(10), {}};
  const double one = result_rows(scenario, ways)[0].budget.energy->total().value();
  ways[0].steps = 3;
  const auto rows = result_rows(scenario, ways);
  CHECK(rows[0].budget.energy->total().value() == Approx(3 * one).epsilon(1e-12));
  CHECK(rows[0].budget.device_hours.value() == Approx(60 / 3600.0).epsilon(1e-12));
  ways[0].measured->energy = Joules(7);
  CHECK(result_rows(scenario, ways)[0].budget.energy->total().value() == Approx(21).epsilon(1e-12));
}

}  // namespace
}  // namespace orrery
