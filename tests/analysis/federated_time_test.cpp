#include "analysis/metrics/federated_time.hpp"

#include "sim/base/random.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

double exposed(const StepTime& time) {
  return time.exposed[static_cast<std::size_t>(Dimension::dp)].value();
}

double sum_of_parts(const StepTime& time) {
  return (time.compute + time.recompute + time.optimizer + time.exposed_total() + time.bubble + time.straggler +
          time.input)
      .value();
}

TEST_CASE("a round on its critical client: download, training, upload, average") {
  const StepTime time = mean_server_step(three_client_round().federated);
  CHECK(time.step.value() == 10);
  CHECK(time.compute.value() == 3);        // three quarters of 4 s
  CHECK(time.optimizer.value() == 1 + 1);  // the rest, and the average
  CHECK(exposed(time) == 5);
  CHECK(time.communication.value() == 5);
  CHECK(time.bubble.value() == 0);
  CHECK(time.straggler.value() == 0);
}

TEST_CASE("a round that a deadline ended was spent waiting for stragglers, the mean is over both") {
  const FederatedRun run = two_rounds_with_waste().federated;
  const StepTime second = server_step_time(run, 1);
  CHECK(second.step.value() == 8);
  CHECK(second.straggler.value() == 8);
  const StepTime mean = mean_server_step(run);
  CHECK(mean.step.value() == 9);
  CHECK(mean.compute.value() == 1.5);
  CHECK(mean.straggler.value() == 4);
}

TEST_CASE("time offline is a straggler's, waiting for others and for clients to come is bubble") {
  FederatedRun run = three_client_round().federated;
  Trip& critical = run.trips[2];  // begins at 2 now: down 1 s, offline 1.5 s, waiting 0.5 s, training 1 s, up 3 s
  critical.begin = Seconds(2);
  critical.download = Seconds(1);
  critical.offline = Seconds(1.5);
  critical.waiting = Seconds(0.5);
  critical.compute = Seconds(1);
  const StepTime time = server_step_time(run, 0);
  CHECK(time.straggler.value() == 1.5);
  CHECK(time.bubble.value() == 2 + 0.5);
  CHECK(exposed(time) == 4);
  CHECK(time.compute.value() == 0.75);
  CHECK(time.optimizer.value() == 1.25);
}

TEST_CASE("of a trip that began before the step the last things count, a report may wait for a busy server") {
  FederatedRun run = three_client_round().federated;
  run.recompute_share = 0.5;
  run.steps[0].begin = Seconds(4);   // client 2 has 2 s of its training left, then 3 s of sending
  run.steps[0].end = Seconds(10.5);  // and waits for half a second
  const StepTime time = server_step_time(run, 0);
  CHECK(time.step.value() == 6.5);
  CHECK(exposed(time) == 3);
  CHECK(time.compute.value() == 0.5);
  CHECK(time.recompute.value() == 1);
  CHECK(time.optimizer.value() == 0.5 + 1);
  CHECK(time.bubble.value() == 0.5);
}

TEST_CASE("in a hierarchy the rounds of the critical edge and the way to the server count") {
  FederatedRun run;
  run.trips = {hand_trip(0, 0, 1, 1, 2, 1), hand_trip(1, 0, 1, 1, 9, 1), hand_trip(0, 0, 6, 1, 2, 1)};
  run.trips[0].hub = run.trips[2].hub = 0;  // 1-5, then 6-10
  run.trips[1].hub = 1;
  ServerStep step;
  step.end = Seconds(13);
  step.aggregation = Seconds(1);
  step.backhaul_time = Seconds(3);
  step.critical_trip = 2;
  run.steps = {step};
  const StepTime time = server_step_time(run, 0);
  CHECK(time.optimizer.value() == 1);
  CHECK(exposed(time) == 3 + 2 + 2);
  CHECK(time.compute.value() == 2 + 2);
  CHECK(time.bubble.value() == 1);  // the edge averages, 5-6
}

TEST_CASE("in split learning turns follow each other, and waiting for the server's half is computing") {
  FederatedRun run;
  run.trips = {hand_trip(0, 0, 0, 1, 2, 1), hand_trip(1, 0, 7, 1, 2, 1)};
  for (Trip& trip : run.trips) {
    trip.waiting = Seconds(3);
    trip.end += trip.waiting;  // 0-7, 7-14
  }
  ServerStep step;
  step.end = Seconds(14.5);
  step.aggregation = Seconds(4.5);  // 2 s of either turn, then an evaluation of half a second
  step.critical_trip = 1;
  run.steps = {step};
  const StepTime time = server_step_time(run, 0);
  CHECK(time.optimizer.value() == 0.5);
  CHECK(time.compute.value() == 2 + 2 + 4);
  CHECK(exposed(time) == 4);
  CHECK(time.bubble.value() == 2);
}

TEST_CASE("on random runs the parts of every step sum to it, and none is negative") {
  Random random(11);
  for (int trial = 0; trial < 500; ++trial) {
    FederatedRun run;
    run.recompute_share = random.uniform(0, 0.5);
    run.optimizer_share = random.uniform(0, 0.5);
    ServerStep step;
    step.begin = Seconds(random.uniform(0, 10));
    step.end = Seconds(step.begin.value() + random.uniform(0, 20));
    step.aggregation = Seconds(random.uniform(0, 3));
    step.backhaul_time = Seconds(random.uniform(0, 2));
    const std::size_t trips = random.below(5);
    for (std::size_t i = 0; i < trips; ++i) {
      Trip trip =
          hand_trip(0, 0, random.uniform(0, 15), random.uniform(0, 4), random.uniform(0, 4), random.uniform(0, 4));
      trip.hub = static_cast<std::int32_t>(random.below(3)) - 1;
      trip.offline = Seconds(random.uniform(0, 2));
      trip.end += trip.offline;
      run.trips.push_back(trip);
    }
    step.critical_trip = static_cast<std::int32_t>(random.below(trips + 1)) - 1;
    run.steps = {step};
    const StepTime time = server_step_time(run, 0);
    REQUIRE(sum_of_parts(time) == Approx(time.step.value()).epsilon(1e-9).margin(1e-12));
    for (const Seconds part : {time.compute, time.recompute, time.optimizer, time.bubble, time.straggler}) {
      REQUIRE(part.value() >= 0);
    }
  }
}

TEST_CASE("a run without steps has no time") {
  CHECK(mean_server_step({}).step.value() == 0);
}

}  // namespace
}  // namespace orrery
