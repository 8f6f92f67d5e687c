// Whose reports a synchronous round counts, by hand.
#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

/// Trains for as many seconds as its number, from 1; everything else is fast.
std::vector<LabClient> one_after_the_other(int count) {
  std::vector<LabClient> clients;
  for (int i = 1; i <= count; ++i) clients.push_back({100, 100, 0.1 * i, 0});
  return clients;
}

}  // namespace

TEST_CASE("over-selection keeps the first reports and recalls the others as surplus") {
  FederatedLab lab(one_after_the_other(6));
  lab.participation().clients_per_round = 4;
  lab.participation().over_selection = 1.3;  // 5.2: six are asked
  const Way way = lab.run();
  check_books(way);
  REQUIRE(way.federated.trips.size() == 6);
  CHECK(count(way, TripEnd::reported) == 4);
  CHECK(count(way, TripEnd::surplus) == 2);
  const Seconds fourth = trip_of(way, 3).end;
  for (const std::int32_t late : {4, 5}) {
    const Trip& trip = trip_of(way, late);
    CHECK(trip.end == fourth);
    CHECK(trip.down.value() == model);
    CHECK(trip.up.value() == 0);
    CHECK(trip.compute_share == Approx((fourth - trip.begin - trip.download).value() / (late + 1.0)));
  }
  CHECK(way.samples_per_step == 40);
}

TEST_CASE("1.3 x 10 asks 13 clients, whatever its binary fractions say") {
  FederatedLab lab(std::vector<LabClient>(20));
  lab.participation().clients_per_round = 10;
  lab.participation().over_selection = 1.3;
  CHECK(lab.run().federated.trips.size() == 13);
}

TEST_CASE("a deadline ends a round without those who are late") {
  FederatedLab lab(one_after_the_other(4));
  lab.participation().deadline = Seconds(2.5);
  const Way way = lab.run();
  check_books(way);
  CHECK(count(way, TripEnd::reported) == 2);
  CHECK(count(way, TripEnd::late) == 2);
  CHECK(trip_of(way, 3).end.value() == about(2.5));
  const ServerStep& step = way.federated.steps.at(0);
  CHECK(step.critical_trip == -1);
  CHECK(step.end.value() == about(2.5 + 0.3));
  // A deadline that nobody misses changes nothing.
  lab.participation().deadline = Seconds(100);
  CHECK(lab.run().federated.steps.at(0).end.value() == about(4 + 2 * 0.01 + 0.5));
}

TEST_CASE("fewer reports than min_reports leave the weights as they are, and are waste") {
  FederatedLab lab(one_after_the_other(4));
  lab.learn(0.1);
  lab.group(0).per_sample = lab.group(1).per_sample = Seconds(1e-6);
  lab.group(2).per_sample = lab.group(3).per_sample = Seconds(1);
  lab.participation().deadline = Seconds(2);
  lab.participation().min_reports = 3;
  lab.options().rounds = 2;
  const Way way = lab.run();
  check_books(way);
  CHECK(count(way, TripEnd::reported) == 0);
  CHECK(count(way, TripEnd::unused) == 4);
  CHECK(count(way, TripEnd::late) == 4);
  REQUIRE(way.curve.size() == 2);
  CHECK(way.curve[0].accuracy == way.curve[1].accuracy);
  CHECK(way.curve[0].loss == way.curve[1].loss);
  CHECK(way.federated.steps[0].critical_trip == -1);
  CHECK(way.federated.steps[0].aggregation == Seconds(0));
  CHECK(way.samples_per_step == 0);
  lab.participation().min_reports = 2;
  const Way enough = lab.run();
  CHECK(count(enough, TripEnd::reported) == 4);
  CHECK(enough.curve[0].loss != enough.curve[1].loss);
}

TEST_CASE("a secure sum of fewer than its threshold of the clients asked is of no use") {
  FederatedLab lab(one_after_the_other(4));
  lab.participation().clients_per_round = 4;
  lab.participation().deadline = Seconds(2.5);  // two of four
  lab.options().secure = SecureAggregationOptions{.threshold = 0.67};
  const Way three = lab.run();
  check_books(three);
  CHECK(count(three, TripEnd::reported) == 0);
  CHECK(count(three, TripEnd::unused) == 2);
  CHECK(three.federated.steps[0].aggregation.value() == 0);
  lab.options().secure->threshold = 0.51;  // three of four
  lab.participation().deadline = Seconds(3.5);
  const Way enough = lab.run();
  check_books(enough);
  CHECK(count(enough, TripEnd::reported) == 3);
}

TEST_CASE("a round with nobody online waits for the first to come") {
  FederatedLab lab(one_after_the_other(2));
  lab.online(0, 1000, {{50, 1000}});
  lab.online(1, 1000, {{80, 1000}});
  const Way way = lab.run();
  check_books(way);
  REQUIRE(way.federated.trips.size() == 1);  // the second comes when the round is under way
  CHECK(trip_of(way, 0).begin.value() == about(50));
  // With min_reports = 2 both are waited for.
  lab.participation().min_reports = 2;
  const Way both = lab.run();
  check_books(both);
  CHECK(trip_of(both, 0).begin.value() == about(80));
  CHECK(trip_of(both, 1).begin.value() == about(80));
}

TEST_CASE("a federation that never comes together ends with a reason, not in a hang") {
  FederatedLab lab(one_after_the_other(2));
  lab.online(0, 100, {{10, 20}});
  lab.online(1, 100, {{30, 40}});
  lab.participation().min_reports = 2;
  const Way way = lab.run();
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error.substr(0, 9) == "round 1: ");
  CHECK(way.error.find("min_reports = 2: so many were online together not once in ") != std::string::npos);
}

TEST_CASE("clients that come for a moment once in decades end a federation, not in a hang, however it is coordinated") {
  for (const AlgorithmKind kind : {AlgorithmKind::fedavg, AlgorithmKind::fedasync, AlgorithmKind::hierarchical,
                                   AlgorithmKind::gossip, AlgorithmKind::split}) {
    FederatedLab lab({{1, 1, 0.1, 0.1}, {1, 1, 0.1, 0.1}});
    for (std::size_t client = 0; client < 2; ++client) {
      lab.group(client).availability.kind = AvailabilityKind::on_off;
      lab.group(client).availability.mean_online = Seconds(1e-6);  // less than a scenario may state
      lab.group(client).availability.mean_offline = Seconds(1e12);
    }
    lab.options().algorithm.kind = kind;
    lab.options().rounds = 3;
    const Way way = lab.run();
    INFO(static_cast<int>(kind));
    CHECK(way.status == WayStatus::infeasible);
    CHECK(way.error.substr(0, 9) == "round 1: ");
  }
}

TEST_CASE("when every client drops out, rounds pass and the weights stay") {
  FederatedLab lab(one_after_the_other(3));
  lab.learn(0.1);
  for (std::size_t client = 0; client < 3; ++client) {
    lab.group(client).per_sample = Seconds(1);
    lab.online(client, 10, {{0, 5}});
  }
  lab.participation().offline = OfflinePolicy::give_up;
  lab.options().rounds = 3;
  const Way way = lab.run();
  check_books(way);
  CHECK(way.federated.trips.size() == 9);
  CHECK(count(way, TripEnd::dropped) == 9);
  REQUIRE(way.curve.size() == 3);
  CHECK(way.curve.front().loss == way.curve.back().loss);
  CHECK(way.federated.steps[1].begin.value() == about(5));
  CHECK(way.federated.steps[1].end.value() == about(15));
}

TEST_CASE("useful and wasted bytes and seconds make up the total, whatever ends the trips") {
  FederatedLab lab(std::vector<LabClient>(30, {2, 1, 0.2, 0.01}));
  for (std::size_t client = 0; client < 30; ++client) {
    AvailabilitySpec& law = lab.group(client).availability;
    law.kind = AvailabilityKind::on_off;
    law.mean_online = Seconds(4);
    law.mean_offline = Seconds(2);
    lab.group(client).speed_sigma = 0.5;
  }
  lab.scenario.federation.server_link.down = BytesPerSecond(4 * model);
  lab.options().rounds = 20;
  lab.participation().clients_per_round = 8;
  lab.participation().over_selection = 1.5;
  lab.participation().deadline = Seconds(6);
  for (const auto policy : {OfflinePolicy::resume, OfflinePolicy::restart, OfflinePolicy::give_up}) {
    lab.participation().offline = policy;
    const Way way = lab.run();
    check_books(way);
    double useful = 0, wasted = 0, up = 0;
    for (const Trip& trip : way.federated.trips) {
      (trip.how == TripEnd::reported ? useful : wasted) += (trip.down + trip.up).value();
      up += trip.up.value();
      if (trip.how != TripEnd::reported) continue;
      CHECK(trip.down.value() >= model);
      CHECK(trip.compute_share == 1.0);
      if (policy == OfflinePolicy::resume) CHECK(trip.down + trip.up == Bytes(2 * model));
      if (policy == OfflinePolicy::give_up) CHECK(trip.offline == Seconds(0));
    }
    CHECK(wasted > 0);
    // What the server's line carried is what the clients moved.
    const FederatedRun::SharedLine& line = way.federated.lines.at(0);
    CHECK((line.up + line.down).value() == Approx(useful + wasted).epsilon(1e-9));
    CHECK(line.down.value() == Approx(up).epsilon(1e-9));
    CHECK(count(way, TripEnd::late) + count(way, TripEnd::surplus) > 0);
    CHECK((count(way, TripEnd::dropped) > 0) == (policy == OfflinePolicy::give_up));
  }
}
