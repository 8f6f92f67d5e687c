// One client's trip while it comes and goes.
#include "scenarios/federated/fleet.hpp"

#include <limits>
#include <map>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"

using namespace orrery;

namespace {

/// Online up to the first instant, then offline up to the next, and so on; for good as after the last.
class Scripted final : public Availability {
 public:
  std::map<std::size_t, std::vector<double>> turns;
  bool online(std::size_t client, Seconds at) override { return passed(client, at) % 2 == 0; }
  Seconds changes(std::size_t client, Seconds at) override {
    const std::vector<double>& own = turns[client];
    const std::size_t next = passed(client, at);
    return Seconds(next < own.size() ? own[next] : std::numeric_limits<double>::infinity());
  }

 private:
  std::size_t passed(std::size_t client, Seconds at) {
    std::size_t count = 0;
    for (const double turn : turns[client]) count += turn <= at.value() ? 1 : 0;
    return count;
  }
};

/// One client on a line of 10 bytes a second, a server that is never in the way: 40 bytes down (4 s), 3 s of training,
/// 1 s of waiting, 20 bytes up (2 s).
struct Trail {
  explicit Trail(OfflinePolicy policy, std::vector<double> turns = {}, Seconds latency = {})
      : network(
            {{BytesPerSecond(10), BytesPerSecond(10), latency}, {BytesPerSecond(1e6), BytesPerSecond(1e6), Seconds(0)}},
            EngineKind::flow),
        fleet(network, availability, 1, policy, run) {
    availability.turns[0] = std::move(turns);
  }
  void send() {
    Itinerary itinerary;
    itinerary.first = {{Leg::Kind::download, Bytes(40), {}},
                       {Leg::Kind::compute, {}, Seconds(3)},
                       {Leg::Kind::wait, {}, Seconds(1)},
                       {Leg::Kind::upload, Bytes(20), {}}};
    fleet.send(0, itinerary, {DeviceId(1), -1}, [this](std::size_t) { ended = true; });
  }
  const Trip& go() {
    send();
    network.run();
    REQUIRE(run.trips.size() == 1);
    return run.trips.front();
  }
  const Trip& recalled_at(double time) {
    send();
    network.after(Seconds(time), [this] { fleet.recall(0, TripEnd::late); });
    network.run();
    REQUIRE(run.trips.size() == 1);
    CHECK_FALSE(ended);
    return run.trips.front();
  }

  Scripted availability;
  FederatedRun run;
  StarNetwork network;
  Fleet fleet;
  bool ended = false;
};

struct Expected {
  TripEnd how;
  double end, download, compute, upload, offline, waiting, down, up, share;
};

void check(const Trip& trip, const Expected& expected) {
  CHECK(trip.how == expected.how);
  CHECK(trip.end.value() == Approx(expected.end));
  CHECK(trip.download.value() == Approx(expected.download));
  CHECK(trip.compute.value() == Approx(expected.compute));
  CHECK(trip.upload.value() == Approx(expected.upload).margin(1e-12));
  CHECK(trip.offline.value() == Approx(expected.offline).margin(1e-12));
  CHECK(trip.waiting.value() == Approx(expected.waiting).margin(1e-12));
  CHECK(trip.down.value() == Approx(expected.down));
  CHECK(trip.up.value() == Approx(expected.up).margin(1e-12));
  CHECK(trip.compute_share == Approx(expected.share));
}

}  // namespace

TEST_CASE("a trip downloads, trains, waits and uploads") {
  Trail trail(OfflinePolicy::resume);
  check(trail.go(), {TripEnd::reported, 10, 4, 3, 2, 0, 1, 40, 20, 1});
  CHECK(trail.ended);
  CHECK_FALSE(trail.fleet.at_work(0));
}

TEST_CASE("offline in the middle of a download: go on, start again, or give up") {
  // Offline from 3 to 8.
  check(Trail(OfflinePolicy::resume, {3, 8}).go(), {TripEnd::reported, 15, 4, 3, 2, 5, 1, 40, 20, 1});
  check(Trail(OfflinePolicy::restart, {3, 8}).go(), {TripEnd::reported, 18, 7, 3, 2, 5, 1, 70, 20, 1});
  check(Trail(OfflinePolicy::give_up, {3, 8}).go(), {TripEnd::dropped, 3, 3, 0, 0, 0, 0, 30, 0, 0});
}

TEST_CASE("offline in the middle of an upload: go on, start again, or give up") {
  // Offline from 9 to 11, in the middle of the upload.
  check(Trail(OfflinePolicy::resume, {9, 11}).go(), {TripEnd::reported, 12, 4, 3, 2, 2, 1, 40, 20, 1});
  check(Trail(OfflinePolicy::restart, {9, 11}).go(), {TripEnd::reported, 13, 4, 3, 3, 2, 1, 40, 30, 1});
  check(Trail(OfflinePolicy::give_up, {9, 11}).go(), {TripEnd::dropped, 9, 4, 3, 1, 0, 1, 40, 10, 1});
}

TEST_CASE("what a transfer that starts again had moved is thrown away, and no other bytes are") {
  const auto discarded = [](OfflinePolicy policy, std::vector<double> turns) {
    const Trip trip = Trail(policy, std::move(turns)).go();
    return std::pair(trip.discarded_down.value(), trip.discarded_up.value());
  };
  CHECK(discarded(OfflinePolicy::restart, {3, 8}) == std::pair(30.0, 0.0));
  CHECK(discarded(OfflinePolicy::restart, {9, 11}) == std::pair(0.0, 10.0));
  CHECK(discarded(OfflinePolicy::resume, {3, 8}) == std::pair(0.0, 0.0));
  CHECK(discarded(OfflinePolicy::restart, {7.5, 8}) == std::pair(0.0, 0.0));
}

TEST_CASE("who would come back when thousands of years have passed does not") {
  Trail trail(OfflinePolicy::resume, {3, 2e11});
  check(trail.go(), {TripEnd::dropped, 3, 3, 0, 0, 0, 0, 30, 0, 0});
  CHECK(std::isinf(trail.fleet.changes(0).value()));
}

TEST_CASE("training goes on offline, but with give_up, the upload waits for the client to be back") {
  // Offline from 5 to 9: training ends at 7 all the same.
  check(Trail(OfflinePolicy::resume, {5, 9}).go(), {TripEnd::reported, 12, 4, 3, 2, 2, 1, 40, 20, 1});
  check(Trail(OfflinePolicy::give_up, {5, 9}).go(), {TripEnd::dropped, 5, 4, 1, 0, 0, 0, 40, 0, 1.0 / 3});
  // Back before training is done: nothing happened.
  check(Trail(OfflinePolicy::resume, {5, 6}).go(), {TripEnd::reported, 10, 4, 3, 2, 0, 1, 40, 20, 1});
}

TEST_CASE("waiting for others needs the client online") {
  check(Trail(OfflinePolicy::resume, {7.5, 8}).go(), {TripEnd::reported, 10.5, 4, 3, 2, 0.5, 1, 40, 20, 1});
  check(Trail(OfflinePolicy::restart, {7.5, 8}).go(), {TripEnd::reported, 11, 4, 3, 2, 0.5, 1.5, 40, 20, 1});
}

TEST_CASE("a client that never comes back drops out under every policy") {
  for (const auto policy : {OfflinePolicy::resume, OfflinePolicy::restart, OfflinePolicy::give_up}) {
    Trail trail(policy, {9});
    check(trail.go(), {TripEnd::dropped, 9, 4, 3, 1, 0, 1, 40, 10, 1});
    CHECK(trail.ended);
  }
}

TEST_CASE("a client that never gets on drops out after a thousand attempts") {
  // Online for 3 s of every 5: never the 4 s of the download at once.
  std::vector<double> turns;
  for (int window = 0; window < 1100; ++window) turns.insert(turns.end(), {5.0 * window + 3, 5.0 * window + 5});
  Trail restarting(OfflinePolicy::restart, turns);
  const Trip& trip = restarting.go();
  CHECK(restarting.ended);
  CHECK(trip.how == TripEnd::dropped);
  CHECK(trip.end.value() == Approx(999 * 5 + 3));
  CHECK(trip.down.value() == Approx(1000 * 30));
  check(Trail(OfflinePolicy::resume, turns).go(), {TripEnd::reported, 13, 4, 3, 2, 3, 1, 40, 20, 1});
}

TEST_CASE("a client whose times online are shorter than its latency drops out after a thousand of them") {
  std::vector<double> turns;
  for (int window = 0; window < 1100; ++window) turns.insert(turns.end(), {window + 0.019, window + 1.0});
  for (const auto policy : {OfflinePolicy::resume, OfflinePolicy::restart}) {
    Trail trail(policy, turns, Seconds(0.02));
    const Trip& trip = trail.go();
    CHECK(trip.how == TripEnd::dropped);
    CHECK(trip.end.value() == Approx(999.019));
    CHECK(trip.down.value() == 0);
  }
}

TEST_CASE("a client that is called back has done what it has done") {
  check(Trail(OfflinePolicy::resume).recalled_at(2), {TripEnd::late, 2, 2, 0, 0, 0, 0, 20, 0, 0});
  check(Trail(OfflinePolicy::resume).recalled_at(5.5), {TripEnd::late, 5.5, 4, 1.5, 0, 0, 0, 40, 0, 0.5});
  check(Trail(OfflinePolicy::resume).recalled_at(7.5), {TripEnd::late, 7.5, 4, 3, 0, 0, 0.5, 40, 0, 1});
  check(Trail(OfflinePolicy::resume).recalled_at(9), {TripEnd::late, 9, 4, 3, 1, 0, 1, 40, 10, 1});
  check(Trail(OfflinePolicy::resume, {3, 8}).recalled_at(6), {TripEnd::late, 6, 3, 0, 0, 3, 0, 30, 0, 0});
}

TEST_CASE("nobody is sent who is offline or at work") {
  Trail trail(OfflinePolicy::resume, {0, 5});
  CHECK_THROWS_AS(trail.send(), ContractViolation);
  Trail busy(OfflinePolicy::resume);
  busy.send();
  CHECK_THROWS_AS(busy.send(), ContractViolation);
}

TEST_CASE("a trip may repeat legs") {
  Trail trail(OfflinePolicy::resume, {5, 6});
  Itinerary itinerary;
  itinerary.repeated = {{Leg::Kind::compute, {}, Seconds(1)}, {Leg::Kind::upload, Bytes(10), {}}};
  itinerary.repeats = 4;
  itinerary.last = {{Leg::Kind::download, Bytes(5), {}}};
  CHECK(itinerary.size() == 9);
  trail.fleet.send(0, itinerary, {DeviceId(1), 3}, [](std::size_t) {});
  trail.network.run();
  const Trip& trip = trail.run.trips.at(0);
  check(trip, {TripEnd::reported, 9.5, 0.5, 4, 4, 1, 0, 5, 40, 1});
  CHECK(trip.hub == 3);
}

TEST_CASE("whenever clients come and go, the hours and the bytes of their trips add up") {
  for (const auto policy : {OfflinePolicy::resume, OfflinePolicy::restart, OfflinePolicy::give_up}) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      Random random(seed);
      std::vector<double> turns;
      double at = 0;
      for (int i = 0; i < 12; ++i) turns.push_back(at += random.uniform(0.1, 4));
      Trail trail(policy, turns);
      const Trip trip = trail.go();
      const Seconds parts = trip.download + trip.compute + trip.upload + trip.offline + trip.waiting;
      CHECK(parts.value() == Approx((trip.end - trip.begin).value()).margin(1e-9));
      // Ten bytes a second, whenever it moves any.
      CHECK(trip.down.value() == Approx(10 * trip.download.value()).margin(1e-9));
      CHECK(trip.up.value() == Approx(10 * trip.upload.value()).margin(1e-9));
      if (trip.how != TripEnd::reported) continue;
      CHECK(trip.compute.value() == Approx(3));
      if (policy == OfflinePolicy::resume) {
        CHECK(trip.down.value() == 40);
        CHECK(trip.up.value() == 20);
      }
      // Not only when it was asked and when it reported: at every instant in between.
      if (policy == OfflinePolicy::give_up) CHECK(trail.availability.changes(0, trip.begin) >= trip.end);
    }
  }
}
