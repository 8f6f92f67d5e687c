#include "analysis/metrics/result_row.hpp"

#include <cmath>

#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("throughput and utilisation of two devices by hand") {
  const Scenario scenario = hand_scenario({StrategyKind::single, StrategyKind::data});
  const std::vector<Way> ways = {single_device_step(), two_device_step()};
  const auto rows = result_rows(scenario, ways);
  const Throughput& throughput = rows[1].throughput;
  CHECK(throughput.samples_per_s == Approx(64 / 5.5).epsilon(1e-12));
  CHECK(throughput.mfu.value() == Approx(1.1e12 / (5.5 * 2e12)).epsilon(1e-12));
  CHECK(throughput.hfu.value() == Approx(1.2e12 / (5.5 * 2e12)).epsilon(1e-12));
  CHECK(throughput.model_TFLOPS_per_device.value() == Approx(0.1).epsilon(1e-12));
  CHECK(throughput.scaling_efficiency.value() == Approx(6.5 / 11).epsilon(1e-12));
  CHECK(rows[0].throughput.scaling_efficiency.value() == Approx(1).epsilon(1e-12));
  CHECK_FALSE(throughput.tokens_per_s.has_value());
  CHECK(rows[1].devices == 2);
  CHECK(rows[1].bytes_per_device == 1e9);
}

TEST_CASE("networks of sequences count tokens") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.workload.network.sample = "sequence";
  scenario.workload.network.input.height = 512;
  const std::vector<Way> ways = {two_device_step()};
  CHECK(result_rows(scenario, ways)[0].throughput.tokens_per_s.value() == Approx(512 * 64 / 5.5).epsilon(1e-12));
}

TEST_CASE("without a peak at the precision there is no utilisation") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.strategies[0].precision = Precision::fp64;
  const std::vector<Way> ways = {two_device_step()};
  const auto rows = result_rows(scenario, ways);
  CHECK_FALSE(rows[0].throughput.mfu.has_value());
  CHECK(rows[0].throughput.model_TFLOPS_per_device.has_value());
}

TEST_CASE("ways on another device, federated ways and ways without a reference do not scale") {
  Scenario scenario = hand_scenario({StrategyKind::data, StrategyKind::single, StrategyKind::federated});
  const std::vector<Way> ways = {two_device_step(), single_device_step(), three_client_round()};
  scenario.strategies[1].cluster.description.device.id = "other";
  auto rows = result_rows(scenario, ways);
  CHECK(rows[0].throughput.scaling_efficiency.has_value());
  CHECK_FALSE(rows[1].throughput.scaling_efficiency.has_value());
  CHECK_FALSE(rows[2].throughput.scaling_efficiency.has_value());
  scenario.reference = "federated";
  CHECK_FALSE(result_rows(scenario, ways)[0].throughput.scaling_efficiency.has_value());
}

TEST_CASE("the budget of a training: time, bytes, energy, hours, money and carbon") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.energy.gCO2e_per_kWh = 500;
  scenario.cost = {0.3, 2.0, "EUR"};
  std::vector<Way> ways = {two_device_step()};
  ways[0].data_transfer.time = Seconds(50);
  ways[0].data_transfer.bytes = Bytes(1e9);
  const Budget budget = result_rows(scenario, ways)[0].budget;
  const double joules = 100 * (800 + 270.32 + 22);
  CHECK(budget.time->value() == Approx(50 + 550).epsilon(1e-12));
  CHECK(budget.bytes->value() == Approx(1e9 + 100 * 2e9).epsilon(1e-12));
  CHECK(budget.energy->total().value() == Approx(joules).epsilon(1e-9));
  CHECK(budget.device_hours.value() == Approx(2 * 550 / 3600.0).epsilon(1e-12));
  CHECK(budget.emissions_kg.value() == Approx(joules / 3.6e6 * 0.5).epsilon(1e-9));
  CHECK(budget.cost.value() == Approx(2.0 * 2 * 550 / 3600 + 0.3 * joules / 3.6e6).epsilon(1e-9));
  CHECK(budget.currency == "EUR");
}

TEST_CASE("the price of a node is paid whole, whatever part of it is used, and stands in for a price of its own") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.strategies[0].cluster.price_per_hour = 9;  // three devices, two in use
  scenario.strategies[0].cluster.currency = "USD";
  const std::vector<Way> ways = {two_device_step()};
  const Budget budget = result_rows(scenario, ways)[0].budget;
  CHECK(budget.cost.value() == Approx(9.0 * 550 / 3600).epsilon(1e-12));
  CHECK(budget.currency == "USD");
}

TEST_CASE("the price of a rented system contains its electricity") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.strategies[0].cluster.price_per_hour = 9;  // three devices, two in use
  scenario.cost.electricity_per_kWh = 0.3;
  scenario.cost.currency = "USD";
  const std::vector<Way> ways = {two_device_step()};
  CHECK(result_rows(scenario, ways)[0].budget.cost.value() == Approx(9.0 * 550 / 3600).epsilon(1e-12));
}

TEST_CASE("what is not known has no figure") {
  const Scenario scenario = hand_scenario({StrategyKind::data});
  std::vector<Way> ways = {two_device_step()};
  const Budget free_of_charge = result_rows(scenario, ways)[0].budget;
  CHECK_FALSE(free_of_charge.cost.has_value());
  CHECK_FALSE(free_of_charge.emissions_kg.has_value());

  ways[0].devices[1].typical = ways[0].devices[1].maximum = Watts(0);
  const auto powerless = result_rows(scenario, ways);
  CHECK_FALSE(powerless[0].budget.energy.has_value());
  CHECK(powerless[0].budget.time.has_value());

  ways[0].steps = 0;
  CHECK_FALSE(result_rows(scenario, ways)[0].budget.time.has_value());
}

TEST_CASE("electricity that cannot be counted leaves the cost unknown") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.cost = {0.3, 2.0, "EUR"};
  std::vector<Way> ways = {two_device_step()};
  ways[0].devices[1].typical = ways[0].devices[1].maximum = Watts(0);
  CHECK_FALSE(result_rows(scenario, ways)[0].budget.cost.has_value());
}

TEST_CASE("stragglers lengthen step and training") {
  const Scenario scenario = hand_scenario({StrategyKind::data});
  std::vector<Way> ways = {two_device_step()};
  ways[0].straggler_share = 0.1;
  const auto rows = result_rows(scenario, ways);
  CHECK(rows[0].time.step.value() == Approx(6.05).epsilon(1e-12));
  CHECK(rows[0].budget.time->value() == Approx(605).epsilon(1e-12));
}

TEST_CASE("points of the curve carry what was spent so far, the first at the target is kept") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.workload.target_accuracy = 0.8;
  scenario.cost = {0.3, 2.0, "EUR"};
  scenario.energy.gCO2e_per_kWh = 500;
  std::vector<Way> ways = {two_device_step()};
  ways[0].curve = {hand_point(10, 0.5), hand_point(40, 0.8), hand_point(100, 0.9)};
  const auto rows = result_rows(scenario, ways);
  const double step = 800 + 270.32 + 22;
  CHECK(rows[0].curve[0].point.energy.value() == Approx(10 * step).epsilon(1e-9));
  CHECK(rows[0].curve[2].point.energy.value() == Approx(100 * step).epsilon(1e-9));
  CHECK_FALSE(rows[0].curve[0].totals.has_value());
  CHECK_FALSE(rows[0].curve[0].staleness_mean.has_value());
  REQUIRE(rows[0].at_target.has_value());
  CHECK(rows[0].at_target->point.round == 40);
  const Spending& spent = rows[0].at_target->spent;
  CHECK(spent.energy->total().value() == Approx(40 * step).epsilon(1e-9));
  CHECK(spent.cost.value() == Approx(2.0 * 2 * 220 / 3600 + 0.3 * 40 * step / 3.6e6).epsilon(1e-9));
  CHECK(spent.emissions_kg.value() == Approx(40 * step / 3.6e6 * 0.5).epsilon(1e-9));
}

TEST_CASE("moving the training data is on the bill of every point, by the clients' own grid") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.energy.gCO2e_per_kWh = 500;
  scenario.energy.pue = 2;
  scenario.federation.groups[0].gCO2e_per_kWh = 100;
  std::vector<Way> ways = {two_device_step()};
  // Two clients send a gigabyte each, in 2 and 4 s; the server stands by meanwhile.
  DataTransfer& transfer = ways[0].data_transfer;
  transfer.time = Seconds(4);
  transfer.bytes = Bytes(2e9);
  for (std::int32_t client = 0; client < 2; ++client) {
    Trip trip = hand_trip(client, 0, 0, 0, 0, 2 * (client + 1));
    trip.down = Bytes(0);
    trip.up = Bytes(1e9);
    transfer.run.trips.push_back(trip);
  }
  ServerStep step;
  step.end = Seconds(4);
  transfer.run.steps = {step};
  ways[0].curve = {hand_point(0, 0.1), hand_point(100, 0.9)};
  const auto rows = result_rows(scenario, ways);
  const double clients = 10.5 * 6 + 2 * (8e9 * 100e-9 + 0.2) + 3.5 * 6 + 2 * 240;
  const double server = 2 * ((10 + 5) * 4 + 16e9 * 50e-12);
  const double training = 2 * 100 * (800 + 270.32 + 22);
  const Spending& start = rows[0].curve[0].spent;
  CHECK(start.energy->total().value() == Approx(clients + server).epsilon(1e-9));
  CHECK(start.energy->compute.value() == 0);
  CHECK(start.emissions_kg.value() == Approx((clients * 100 + server * 500) / 3.6e9).epsilon(1e-9));
  const Budget& budget = rows[0].budget;
  CHECK(budget.energy->total().value() == Approx(clients + server + training).epsilon(1e-9));
  CHECK(budget.emissions_kg.value() == Approx((clients * 100 + (server + training) * 500) / 3.6e9).epsilon(1e-9));
  CHECK(budget.bytes->value() == Approx(2e9 + 100 * 2e9).epsilon(1e-12));

  scenario.federation.groups[0].device.typical = scenario.federation.groups[0].device.maximum = Watts(0);
  CHECK_FALSE(result_rows(scenario, ways)[0].budget.energy.has_value());
}

TEST_CASE("ways of one strategy are its seeds: one row with the first one's figures, mean and spread") {
  Scenario scenario = hand_scenario({StrategyKind::data, StrategyKind::single});
  scenario.workload.target_accuracy = 0.8;
  std::vector<Way> ways = {two_device_step(), two_device_step(), two_device_step(), single_device_step()};
  const std::vector<std::int64_t> reached = {10, 20, 60};
  for (std::size_t seed = 0; seed < 3; ++seed) {
    ways[seed].seed = seed + 1;
    ways[seed].curve = {hand_point(5, 0.5), hand_point(reached[seed], 0.8 + 0.01 * static_cast<double>(seed))};
  }
  const auto rows = result_rows(scenario, ways);
  REQUIRE(rows.size() == 2);
  const SeedFigures& seeds = rows[0].seeds;
  CHECK(seeds.count == 3);
  CHECK(rows[0].at_target->point.round == 10);
  CHECK(seeds.final_accuracy->mean == Approx(0.81).epsilon(1e-12));
  CHECK(seeds.final_accuracy->sd == Approx(0.01).epsilon(1e-9));
  CHECK(seeds.rounds_to_accuracy->mean == Approx(30).epsilon(1e-12));
  CHECK(seeds.rounds_to_accuracy->sd == Approx(std::sqrt((400.0 + 100 + 900) / 2)).epsilon(1e-12));
  CHECK(seeds.time_to_accuracy_s->mean == Approx(5.5 * 30).epsilon(1e-12));
  CHECK(seeds.energy_to_accuracy_J->mean == Approx(30 * (800 + 270.32 + 22)).epsilon(1e-9));
  CHECK(rows[1].seeds.count == 1);
  CHECK_FALSE(rows[1].seeds.final_accuracy.has_value());

  ways[2].curve.back().accuracy = 0.7;  // a seed that did not get there
  const auto without = result_rows(scenario, ways);
  CHECK_FALSE(without[0].seeds.time_to_accuracy_s.has_value());
  CHECK(without[0].seeds.final_accuracy.has_value());
}

TEST_CASE("a way of a strategy that the scenario does not have is refused") {
  const Scenario scenario = hand_scenario({StrategyKind::single});
  const std::vector<Way> ways = {two_device_step()};
  CHECK_THROWS_AS(result_rows(scenario, ways), std::logic_error);
}

}  // namespace
}  // namespace orrery
