// Who is online when: the laws against their formulas, traces by hand, and answers that do not depend on the questions.
#include "topologies/availability.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/catch.hpp"
#include "topologies/population.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double hour = 3600.0, day = 86400.0;

Population population(const std::vector<AvailabilitySpec>& specs, int clients_each) {
  Population made;
  for (const AvailabilitySpec& spec : specs) {
    ClientGroup group;
    group.count = clients_each;
    group.availability = spec;
    made.groups.push_back(group);
  }
  return made;
}

std::unique_ptr<Availability> make(const AvailabilitySpec& spec, int clients, std::uint64_t seed = 1) {
  return make_availability(population({spec}, clients), seed);
}

AvailabilitySpec on_off(double mean_online, double mean_offline) {
  AvailabilitySpec spec;
  spec.kind = AvailabilityKind::on_off;
  spec.mean_online = Seconds(mean_online);
  spec.mean_offline = Seconds(mean_offline);
  return spec;
}

AvailabilitySpec diurnal(double mean_online, double mean_offline, double amplitude) {
  AvailabilitySpec spec = on_off(mean_online, mean_offline);
  spec.kind = AvailabilityKind::diurnal;
  spec.amplitude = amplitude;
  return spec;
}

AvailabilitySpec recorded() {
  AvailabilitySpec spec;
  spec.kind = AvailabilityKind::trace;
  spec.trace = ORRERY_TEST_DIR "/topologies/traces/behaviour.csv";
  return spec;
}

double share_online(Availability& availability, int clients, double at) {
  int online = 0;
  for (int client = 0; client < clients; ++client) {
    online += availability.online(static_cast<std::size_t>(client), Seconds(at)) ? 1 : 0;
  }
  return static_cast<double>(online) / clients;
}

/// Every turn of a client up to `end`.
std::vector<double> turns(Availability& availability, std::size_t client, double end) {
  std::vector<double> all;
  for (double at = availability.changes(client, Seconds(0)).value(); at <= end;) {
    all.push_back(at);
    at = availability.changes(client, Seconds(at)).value();
  }
  return all;
}

}  // namespace

TEST_CASE("a client that is always online never changes") {
  const auto availability = make({}, 3);
  CHECK(availability->online(2, Seconds(1e9)));
  CHECK(availability->changes(2, Seconds(1e9)).value() == infinity);
}

TEST_CASE("on-off clients are online for their share of the time, at the beginning as later") {
  const int clients = 20000;
  const auto availability = make(on_off(600, 1800), clients);
  for (const double at : {0.0, 100.0, 600.0, 7200.0, 1e5}) {
    INFO("after " << at << " s");
    CHECK(std::abs(share_online(*availability, clients, at) - 0.25) < 4 * std::sqrt(0.25 * 0.75 / clients));
  }
}

TEST_CASE("on-off times have their means and take turns") {
  const auto availability = make(on_off(600, 1800), 1);
  bool online = availability->online(0, Seconds(0));
  double since = 0, sum[2] = {0, 0};
  int count[2] = {0, 0};
  for (const double at : turns(*availability, 0, 2e7)) {
    sum[online ? 1 : 0] += at - since;
    ++count[online ? 1 : 0];
    since = at;
    online = !online;
  }
  REQUIRE(count[1] > 5000);
  CHECK(sum[1] / count[1] == Approx(600).epsilon(0.05));  // 4 / sqrt(5000) = 0.056
  CHECK(sum[0] / count[0] == Approx(1800).epsilon(0.05));
}

TEST_CASE("the state turns at the very instant that was foretold") {
  for (const AvailabilitySpec& spec : {on_off(50, 70), diurnal(3000, 9000, 0.9), recorded()}) {
    const auto availability = make(spec, 4);
    for (std::size_t client = 0; client < 4; ++client) {
      double at = 0;
      bool online = availability->online(client, Seconds(0));
      for (int turn = 0; turn < 200; ++turn) {
        const double next = availability->changes(client, Seconds(at)).value();
        REQUIRE(next > at);
        const double before = std::nextafter(next, 0.0);
        if (before > at) REQUIRE(availability->online(client, Seconds(before)) == online);
        REQUIRE(availability->online(client, Seconds(next)) != online);
        online = !online;
        at = next;
      }
    }
  }
}

TEST_CASE("answers do not depend on what was asked before") {
  for (const AvailabilitySpec& spec : {on_off(500, 700), diurnal(3000, 9000, 0.9), recorded()}) {
    const auto often = make(spec, 30, 5), once = make(spec, 30, 5), other = make(spec, 30, 6);
    int different = 0;
    for (std::size_t client = 0; client < 30; ++client) {
      turns(*often, client, 3e5);
      CHECK(often->online(client, Seconds(3e5)) == once->online(client, Seconds(3e5)));
      CHECK(often->changes(client, Seconds(3e5)).value() == once->changes(client, Seconds(3e5)).value());
      different += other->changes(client, Seconds(3e5)) != once->changes(client, Seconds(3e5)) ? 1 : 0;
    }
    CHECK(different == (spec.kind == AvailabilityKind::trace ? 0 : 30));
  }
}

TEST_CASE("a client behaves alike whatever group stands before it, under another law too") {
  const auto mixed = make_availability(population({{}, on_off(500, 700)}, 10), 3);
  const auto alone = make(on_off(500, 700), 20, 3);
  for (std::size_t client = 0; client < 10; ++client) CHECK(mixed->changes(client, Seconds(0)).value() == infinity);
  for (std::size_t client = 10; client < 20; ++client) {
    CHECK(turns(*mixed, client, 1e4) == turns(*alone, client, 1e4));
  }
}

TEST_CASE("the chance of a diurnal client follows the cosine of its hour") {
  const int clients = 20000;
  AvailabilitySpec spec = diurnal(2 * hour, 6 * hour, 0.8);
  spec.peak = Seconds(3 * hour);
  const auto availability = make(spec, clients);
  for (const double at : {0.0, 3 * hour, 8 * hour, 15 * hour, 21 * hour, 10 * day + 9 * hour, 10 * day + 15 * hour}) {
    const double chance = 0.25 * (1 + 0.8 * std::cos(2 * std::numbers::pi * (at - 3 * hour) / day));
    INFO("at " << at / hour << " h: " << chance);
    CHECK(std::abs(share_online(*availability, clients, at) - chance) < 4 * std::sqrt(0.25 / clients));
  }
}

TEST_CASE("amplitude zero is the on-off law in the mean, and a time zone shifts the clock") {
  const int clients = 20000;
  const auto flat = make(diurnal(hour, 3 * hour, 0), clients);
  for (const double at : {0.0, day / 3, 5 * day})
    CHECK(share_online(*flat, clients, at) == Approx(0.25).margin(0.0125));

  AvailabilitySpec spec = diurnal(hour, 3 * hour, 0.9);
  spec.peak = Seconds(0);
  spec.zones = {6};  // its midnight, the peak, is six hours before ours
  const auto east = make(spec, clients);
  const double chance_at_6_local = 0.25, chance_at_noon_local = 0.25 * (1 - 0.9);
  CHECK(share_online(*east, clients, 0) == Approx(chance_at_6_local).margin(0.0125));
  CHECK(share_online(*east, clients, 6 * hour) == Approx(chance_at_noon_local).margin(0.0125));
}

TEST_CASE("a day on which the chance would leave 0 and 1 is cut, and goes on") {
  const int clients = 5000;
  const auto availability = make(diurnal(2 * hour, hour, 2.0), clients);  // 2/3 (1 + 2 cos): above 1 and below 0
  const double night = share_online(*availability, clients, 5 * day + 2 * hour);
  const double noon = share_online(*availability, clients, 5 * day + 15 * hour);
  CHECK(night > 0.99);
  CHECK(noon < 0.05);
  CHECK(availability->changes(0, Seconds(6 * day)).value() < infinity);
}

TEST_CASE("recorded clients come and go by their rows, again and again") {
  const auto availability = make(recorded(), 5);
  // Row 1: [0, 7 h), [22 h, 31 h), [46 h, 48 h) of 48 hours; at its end it stays online.
  CHECK(availability->online(0, Seconds(0)));
  CHECK(turns(*availability, 0, 96 * hour) ==
        std::vector<double>{7 * hour, 22 * hour, 31 * hour, 46 * hour, 55 * hour, 70 * hour, 79 * hour, 94 * hour});
  // Row 2: [1 h, 3 h) of every day; clients 1 and 3 have it.
  CHECK(!availability->online(1, Seconds(0)));
  CHECK(turns(*availability, 3, day + 3 * hour) == std::vector<double>{hour, 3 * hour, day + hour, day + 3 * hour});
  CHECK(turns(*availability, 4, 31 * hour) == std::vector<double>{7 * hour, 22 * hour, 31 * hour});  // row 1 again
  CHECK(availability->online(1, Seconds(1000 * day + 2 * hour)));
}

TEST_CASE("a trace that cannot be read is told when the clients are made") {
  AvailabilitySpec spec = recorded();
  spec.trace = "no-such-file.csv";
  CHECK_THROWS_AS(make(spec, 1), InvalidInput);
}

}  // namespace orrery
