// What a synchronous round takes, by hand.
#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

std::vector<LabClient> equal_clients(std::size_t count) {
  return std::vector<LabClient>(count);
}

}  // namespace

TEST_CASE("a round of three clients behind a shared server line takes what it takes by hand") {
  FederatedLab lab({{1, 0.8, 0.1, 0.1}, {1, 0.8, 0.3, 0.1}, {0.25, 0.25, 0.1, 0.1}});
  lab.scenario.federation.server_link.down = lab.scenario.federation.server_link.up = BytesPerSecond(model);
  lab.scenario.federation.server_link.latency = Seconds(0.1);
  const Way way = lab.run();
  check_books(way);
  // Down: c moves at its own 0.25, a and b share the rest of the server's line, 0.375 each, after 0.2 s of latency.
  const Trip &a = trip_of(way, 0), &b = trip_of(way, 1), &c = trip_of(way, 2);
  CHECK(a.download.value() == about(0.2 + 1 / 0.375));
  CHECK(b.download.value() == about(0.2 + 1 / 0.375));
  CHECK(c.download.value() == about(0.2 + 4));
  CHECK(a.compute.value() == about(1));
  CHECK(b.compute.value() == about(3));
  CHECK(c.compute.value() == about(1));
  // Up: a is alone at 0.8; b, which could move at 0.8, shares the server's line with c: 0.75.
  CHECK(a.upload.value() == about(0.2 + 1 / 0.8));
  CHECK(b.upload.value() == about(0.2 + 1 / 0.75));
  CHECK(c.upload.value() == about(0.2 + 4));
  CHECK(c.end.value() == about(9.4));
  REQUIRE(way.federated.steps.size() == 1);
  const ServerStep& step = way.federated.steps[0];
  CHECK(step.aggregation.value() == about(0.4));  // four models at ten a second
  CHECK(step.end.value() == about(9.8));
  CHECK(way.federated.trips[static_cast<std::size_t>(step.critical_trip)].client == 2);
  CHECK(way.federated.lines.at(0).up.value() == about(3 * model));
  CHECK(way.federated.lines.at(0).up_busy.value() == about(4));
}

TEST_CASE("the server's line is shared: ten clients take ten times as long as one") {
  for (const int clients : {1, 10}) {
    FederatedLab lab(std::vector<LabClient>(static_cast<std::size_t>(clients), {1, 1, 1e-9, 0}));
    lab.scenario.federation.server_link.down = lab.scenario.federation.server_link.up = BytesPerSecond(model);
    const Way way = lab.run();
    CHECK(trip_of(way, 0).download.value() == Approx(clients).epsilon(1e-6));
    CHECK(trip_of(way, 0).upload.value() == Approx(clients).epsilon(1e-6));
    // Without contention nobody waits for anybody.
    CHECK(trip_of(lab.run(EngineKind::closed_form), 0).download.value() == Approx(1).epsilon(1e-6));
  }
}

TEST_CASE("bytes of a run are exact: 2 x clients x parameters x 4 per round") {
  for (const int per_round : {1, 3, 7}) {
    for (const int rounds : {1, 4}) {
      FederatedLab lab(equal_clients(7));
      lab.participation().clients_per_round = per_round;
      lab.options().rounds = rounds;
      const Way way = lab.run();
      check_books(way);
      double down = 0, up = 0;
      for (const Trip& trip : way.federated.trips) {
        down += trip.down.value();
        up += trip.up.value();
      }
      CHECK(down == model * per_round * rounds);
      CHECK(up == model * per_round * rounds);
      CHECK(way.federated.steps.size() == static_cast<std::size_t>(rounds));
    }
  }
}

TEST_CASE("what an algorithm keeps on the server and sends beside updates takes the server's time") {
  FederatedLab lab(equal_clients(3));
  lab.participation().clients_per_round = 3;
  const auto models = [&lab](AlgorithmKind kind) {
    lab.options().algorithm.kind = kind;
    return lab.run().federated.steps.at(0).aggregation.value() * 10;  // ten models a second
  };
  CHECK(models(AlgorithmKind::fedavg) == Approx(3 + 1));
  CHECK(models(AlgorithmKind::fedavgm) == Approx(3 + 1 + 2));
  CHECK(models(AlgorithmKind::fedadam) == Approx(3 + 1 + 4));
  CHECK(models(AlgorithmKind::scaffold) == Approx(6 + 1 + 2));
}

TEST_CASE("evaluation takes the server's time only where it is charged") {
  FederatedLab lab(equal_clients(2));
  lab.learn(0.1);
  lab.scenario.federation.server.memory_bandwidth = BytesPerSecond(1e15);
  lab.options().rounds = 4;
  lab.options().evaluate_every = 2;
  const Way free_of_charge = lab.run();
  lab.options().evaluation_time = EvaluationTime::charged;
  const Way charged = lab.run();
  check_books(charged);
  // The forward pass of 1,000 test samples, 2 x 198,800 products each, at 1 GFLOP/s.
  const double seconds = 2 * 198800.0 * 1000 / 1e9;
  const auto& free_steps = free_of_charge.federated.steps;
  const auto& charged_steps = charged.federated.steps;
  for (std::size_t step = 0; step < 4; ++step) {
    const double longer = (charged_steps[step].end - charged_steps[step].begin).value() -
                          (free_steps[step].end - free_steps[step].begin).value();
    INFO("step " << step);
    CHECK(longer == Approx(step % 2 == 1 ? seconds : 0.0).margin(1e-3));
  }
  REQUIRE(charged.curve.size() == 2);
  CHECK(charged.curve[1].accuracy == free_of_charge.curve[1].accuracy);
}

TEST_CASE("a server without memory bandwidth is an error, not a server that averages in no time") {
  FederatedLab lab(equal_clients(2));
  lab.scenario.federation.server.memory_bandwidth = BytesPerSecond(0);
  const Way way = lab.run();
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error == "server cannot serve: its memory bandwidth, which averaging needs, is unknown");
}

TEST_CASE("training takes the cost model's time x slowdown, or the measured one, and the overhead of every step") {
  FederatedLab lab(equal_clients(1));
  lab.group(0).step_overhead = Seconds(0.01);
  lab.options().local_batch = 4;   // 4, 4, 2
  lab.options().local_epochs = 3;  // nine steps
  CHECK(trip_of(lab.run(), 0).compute.value() == about(3 * 10 * 0.1 + 9 * 0.01));
  lab.group(0).per_sample.reset();
  const double modelled = trip_of(lab.run(), 0).compute.value() - 9 * 0.01;
  // At 1 GFLOP/s at least 3 x 2 x 198,800 per sample.
  CHECK(modelled >= 30 * 6 * 198800.0 / 1e9);
  lab.group(0).slowdown = 2;
  CHECK(trip_of(lab.run(), 0).compute.value() == about(2 * modelled + 9 * 0.01));
}

TEST_CASE("a device without a peak is an error, not a device that trains in no time") {
  FederatedLab lab(equal_clients(1));
  lab.group(0).per_sample.reset();
  lab.group(0).device.peak.fill(FlopsPerSecond(0));
  CHECK(lab.run().status == WayStatus::infeasible);
}
