#include "analysis/metrics/result_row.hpp"

#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

CurvePoint point(std::int64_t round, double accuracy) {
  CurvePoint at;
  at.round = round;
  at.time = Seconds(5.5 * static_cast<double>(round));
  at.bytes = Bytes(2e9 * static_cast<double>(round));
  at.accuracy = accuracy;
  return at;
}

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

TEST_CASE("the price of a node is shared by its devices, and stands in for a price of its own") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.strategies[0].cluster.price_per_hour = 9;  // three devices
  scenario.strategies[0].cluster.currency = "USD";
  const std::vector<Way> ways = {two_device_step()};
  const Budget budget = result_rows(scenario, ways)[0].budget;
  CHECK(budget.cost.value() == Approx(3.0 * 2 * 550 / 3600).epsilon(1e-12));
  CHECK(budget.currency == "USD");
}

TEST_CASE("the price of a rented system contains its electricity") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.strategies[0].cluster.price_per_hour = 9;  // three devices
  scenario.cost.electricity_per_kWh = 0.3;
  scenario.cost.currency = "USD";
  const std::vector<Way> ways = {two_device_step()};
  CHECK(result_rows(scenario, ways)[0].budget.cost.value() == Approx(3.0 * 2 * 550 / 3600).epsilon(1e-12));
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

TEST_CASE("points of the curve carry the energy spent so far; the first at the target is kept") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.workload.target_accuracy = 0.8;
  std::vector<Way> ways = {two_device_step()};
  ways[0].curve = {point(10, 0.5), point(40, 0.8), point(100, 0.9)};
  const auto rows = result_rows(scenario, ways);
  const double step = 800 + 270.32 + 22;
  CHECK(rows[0].curve[0].energy.value() == Approx(10 * step).epsilon(1e-9));
  CHECK(rows[0].curve[2].energy.value() == Approx(100 * step).epsilon(1e-9));
  REQUIRE(rows[0].at_target.has_value());
  CHECK(rows[0].at_target->round == 40);
  CHECK(rows[0].at_target->energy.value() == Approx(40 * step).epsilon(1e-9));
}

TEST_CASE("a federated row: means over the rounds, hours that clients took part, electricity alone") {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  scenario.cost = {0.3, 2.0, "EUR"};
  std::vector<Way> ways = {three_client_round()};
  ways[0].curve = {point(1, 0.4)};
  const auto rows = result_rows(scenario, ways);
  const ResultRow& row = rows[0];
  CHECK(row.devices == 3);
  CHECK(row.throughput.mfu.value() == Approx(6e11 / (10 * 3e12)).epsilon(1e-12));
  CHECK(row.throughput.hfu.value() == Approx(6e11 / (10 * 3e12)).epsilon(1e-12));
  CHECK(row.bytes_per_device == Approx(1e6).epsilon(1e-12));
  CHECK(row.budget.bytes->value() == Approx(6e6).epsilon(1e-12));
  CHECK(row.budget.device_hours.value() == Approx((5 + 6 + 9) / 3600.0).epsilon(1e-12));
  CHECK(row.budget.cost.value() == Approx(0.3 * row.budget.energy->total().value() / 3.6e6).epsilon(1e-12));
  CHECK(row.curve[0].energy.value() == Approx(row.budget.energy->total().value()).epsilon(1e-12));
}

TEST_CASE("a way of a strategy that the scenario does not have is refused") {
  const Scenario scenario = hand_scenario({StrategyKind::single});
  const std::vector<Way> ways = {two_device_step()};
  CHECK_THROWS_AS(result_rows(scenario, ways), std::logic_error);
}

}  // namespace
}  // namespace orrery
