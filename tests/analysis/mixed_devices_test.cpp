// Figures of a step on devices of two kinds, each counted as what it is.
#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/result_row.hpp"
#include "analysis/metrics/spending.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Rank 0 of the two devices on a node of one kind, rank 1 on one of another.
struct TwoKinds {
  Scenario scenario = hand_scenario({StrategyKind::data});
  Way way = two_device_step();
  TwoKinds() {
    ClusterSpec& cluster = scenario.strategies[0].cluster;
    cluster.description.devices_per_node = 1;
    cluster.description.device.id = "new";
    auto old = static_cast<const NodeGroup&>(cluster.description);
    old.device.id = "old";
    cluster.description.more = {old};
    cluster.more = {{}};
    way.platform.hosts[1].node = 1;
    way.devices[0].id = "new", way.devices[1].id = "old";
  }
  ClusterSpec& cluster() { return scenario.strategies[0].cluster; }
};

}  // namespace

TEST_CASE("devices of two kinds have both names, and a price each") {
  TwoKinds kinds;
  kinds.cluster().price_per_hour = 9;
  kinds.cluster().currency = "USD";
  const std::vector<Way> ways = {kinds.way};
  CHECK_FALSE(result_rows(kinds.scenario, ways)[0].budget.cost.has_value());  // the other has none
  kinds.cluster().more[0].price_per_hour = 3;
  const ResultRow row = result_rows(kinds.scenario, ways)[0];
  CHECK(device_names(row) == "new+old");
  CHECK(row.budget.cost.value() == Approx((9.0 + 3.0) * 550 / 3600).epsilon(1e-12));
  // Three of the one and one of the other: the mean.
  CHECK(prices_of(kinds.scenario, kinds.scenario.strategies[0], {3, 1}).device_hour == Approx(7.5));
  CHECK(prices_of(kinds.scenario, kinds.scenario.strategies[0], {0, 2}).device_hour == Approx(3));
}

TEST_CASE("a way that stays on one kind of a mixed cluster has its name alone") {
  TwoKinds kinds;
  kinds.way.platform.hosts[1].node = 0;
  const std::vector<Way> ways = {kinds.way};
  CHECK(device_names(result_rows(kinds.scenario, ways)[0]) == "new");
}

TEST_CASE("every device draws its own power, every node that of its kind") {
  TwoKinds kinds;
  kinds.cluster().description.rest_idle = kinds.cluster().description.rest_training = Watts(20);
  kinds.cluster().description.more[0].rest_idle = kinds.cluster().description.more[0].rest_training = Watts(50);
  kinds.way.devices[1].typical = Watts(50);
  EnergySpec energy;
  const auto parts = step_energy(kinds.way, energy, kinds.cluster());
  REQUIRE(parts.has_value());
  // Rank 0 computes 3.5 s at 100 W, rank 1 4.5 s at 50 W; the nodes stand 5.5 s at 20 and at 50 W.
  const double devices = 3.5 * 100 + 4.5 * 50, lanes = 4 * 5.5, nodes = 5.5 * 70;
  CHECK(parts->compute.value() + parts->idle.value() == Approx(devices + lanes + nodes));
}

TEST_CASE("utilisation is of the peaks of all devices together") {
  TwoKinds kinds;
  const std::vector<Way> same = {kinds.way};
  const double before = result_rows(kinds.scenario, same)[0].throughput.mfu.value();
  kinds.way.devices[1].peak.fill(kinds.way.devices[1].peak[static_cast<std::size_t>(Precision::fp32)] / 3.0);
  const std::vector<Way> less = {kinds.way};
  CHECK(result_rows(kinds.scenario, less)[0].throughput.mfu.value() == Approx(before * 2 / (1 + 1 / 3.0)));
}

}  // namespace orrery
