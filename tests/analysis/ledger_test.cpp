#include "analysis/metrics/ledger.hpp"

#include "sim/base/random.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

constexpr double relative = 1e-9;

FederatedRun random_run(Random& random) {
  FederatedRun run;
  const std::size_t steps = 1 + random.below(6);
  double now = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    ServerStep own;
    own.begin = Seconds(now);
    now += random.uniform(0.1, 50);
    own.end = Seconds(now);
    own.aggregation = Seconds(random.uniform(0, 0.1));
    run.steps.push_back(own);
  }
  const std::size_t trips = random.below(40);
  for (std::size_t i = 0; i < trips; ++i) {
    Trip trip =
        hand_trip(static_cast<std::int32_t>(random.below(4)), static_cast<std::int32_t>(random.below(steps + 1)),
                  random.uniform(0, now), random.uniform(0, 9), random.uniform(0, 9), random.uniform(0, 9));
    trip.how = static_cast<TripEnd>(random.below(5));
    trip.offline = Seconds(random.uniform(0, 5));
    trip.waiting = Seconds(random.uniform(0, 5));
    trip.up = Bytes(random.uniform(0, 1e7));
    run.trips.push_back(trip);
  }
  return run;
}

TEST_CASE("on random runs the ledger's parts are the sums over trips and steps, useful and waste together") {
  Random random(5);
  const Population population = hand_population();
  EnergySpec energy;
  energy.pue = 1.3;
  for (int trial = 0; trial < 200; ++trial) {
    const FederatedRun run = random_run(random);
    const auto power = FederationPower::of(population, {}, energy);
    const Ledger ledger(run, {}, power);
    const FederatedTotals& totals = ledger.after(run.steps.size());
    double all = 0, waste = 0, bytes = 0;
    std::size_t reported = 0;
    for (const Trip& trip : run.trips) {
      const double joules = power->trip(trip).total().value();
      all += joules;
      if (trip.how != TripEnd::reported) waste += joules;
      if (trip.how == TripEnd::reported) ++reported;
      bytes += trip.up.value() + trip.down.value();
    }
    REQUIRE(totals.wasted_energy.total().value() == Approx(waste).epsilon(relative));
    const double clients = totals.energy().total().value() - totals.energy().server().value();
    REQUIRE(clients == Approx(all).epsilon(relative));
    REQUIRE(totals.useful.total().value() + totals.wasted_energy.total().value() ==
            Approx(totals.energy().total().value()).epsilon(relative));
    REQUIRE(energy_parts(totals.energy()).total().value() == Approx(totals.energy().total().value()).epsilon(relative));
    REQUIRE(totals.sent.value() == Approx(bytes).epsilon(relative));
    REQUIRE(totals.trips.reported == static_cast<std::int64_t>(reported));
    REQUIRE(totals.trips.selected == totals.trips.reported + totals.trips.late + totals.trips.surplus +
                                         totals.trips.dropped + totals.trips.unused);
    for (std::size_t step = 0; step < run.steps.size(); ++step) {
      REQUIRE(ledger.after(step).energy().total() <= ledger.after(step + 1).energy().total());
    }
  }
}

TEST_CASE("the ledger counts trips, bytes and staleness to the step in which they ended") {
  Way way = two_rounds_with_waste();
  way.federated.trips[1].staleness = 3;
  way.federated.trips[2].staleness = 1;
  way.federated.trips[3].round = 7;  // under way at the end: the last step's
  way.federated.trips[3].how = TripEnd::unused;
  const Ledger ledger(way.federated, {}, std::nullopt);
  REQUIRE(ledger.steps() == 2);
  CHECK(ledger.after(0).trips.selected == 0);
  const FederatedTotals& first = ledger.after(1);
  CHECK(first.trips.selected == 3);
  CHECK(first.trips.reported == 3);
  CHECK(first.staleness == 4);
  CHECK(first.down.value() == 3e6);
  CHECK(first.up.value() == 3e6);
  CHECK(first.client_time.value() == 20);
  const FederatedTotals& all = ledger.after(5);
  CHECK(all.trips.selected == 5);
  CHECK(all.trips.late == 1);
  CHECK(all.trips.unused == 1);
  CHECK(all.down.value() == 5e6);
  CHECK(all.up.value() == 3.5e6);
  CHECK(all.wasted.value() == 2.5e6);
  CHECK(all.client_time.value() == 20 + 4 + 8);
  CHECK(all.energy().total().value() == 0);
  CHECK(ledger.worst_staleness(0, 2) == 3);
  CHECK(ledger.worst_staleness(1, 2) == 0);
}

}  // namespace
}  // namespace orrery
