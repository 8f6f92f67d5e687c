// Clients as drawn from their groups.
#include "topologies/population.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/catch.hpp"

namespace orrery {
namespace {

Link link(double down, double up) {
  Link made;
  made.down = BytesPerSecond(down);
  made.up = BytesPerSecond(up);
  made.efficiency = 0.5;
  made.latency = Seconds(0.02);
  return made;
}

ClientGroup group(int count) {
  ClientGroup made;
  made.count = count;
  made.link = link(8e6, 2e6);
  return made;
}

Population draw(const std::vector<ClientGroup>& groups, std::uint64_t seed = 1) {
  return draw_population(groups, {}, link(1e9, 1e8), seed);
}

}  // namespace

TEST_CASE("without spread every client is as its group says, in the order of the groups") {
  ClientGroup slow = group(2);
  slow.slowdown = 3;
  slow.per_sample = Seconds(0.25);
  const Population population = draw({group(3), slow});
  REQUIRE(population.clients.size() == 5);
  CHECK(population.clients[2].group == 0);
  CHECK(population.clients[2].slowdown == 1);
  CHECK(population.clients[2].per_sample_s == 0);
  CHECK(population.clients[2].down.value() == 4e6);  // the effective half
  CHECK(population.clients[2].up.value() == 1e6);
  CHECK(population.clients[3].group == 1);
  CHECK(population.clients[3].slowdown == 3);
  CHECK(population.clients[3].per_sample_s == 0.75F);
  CHECK(population.group(4).slowdown == 3);
}

TEST_CASE("log-normal spreads have their median and their sigma, up and down alike") {
  ClientGroup spread = group(20001);
  spread.slowdown = 2;
  spread.speed_sigma = 0.6;
  spread.link_sigma = 0.3;
  const Population population = draw({spread});
  std::vector<double> slowdowns, rates;
  double speed_square = 0, link_square = 0, product = 0;
  for (const Client& client : population.clients) {
    slowdowns.push_back(client.slowdown);
    rates.push_back(client.down.value());
    const double speed = std::log(2.0 / client.slowdown), rate = std::log(client.down.value() / 4e6);
    speed_square += speed * speed;
    link_square += rate * rate;
    product += speed * rate;
    REQUIRE(client.up.value() == Approx(client.down.value() / 4).epsilon(1e-12));
  }
  const auto middle = [](std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + 10000, values.end());
    return values[10000];
  };
  CHECK(middle(slowdowns) == Approx(2).epsilon(0.025));  // 4 x 0.6 x 1.25 / sqrt(20000)
  CHECK(middle(rates) == Approx(4e6).epsilon(0.015));
  CHECK(std::sqrt(speed_square / 20001) == Approx(0.6).epsilon(0.02));
  CHECK(std::sqrt(link_square / 20001) == Approx(0.3).epsilon(0.02));
  CHECK(std::abs(product / 20001) < 0.006);  // speed and link are independent
}

TEST_CASE("a client's draws depend on the seed and its number, not on the other spread or on groups before it") {
  ClientGroup both = group(10), speed_only = group(10);
  both.speed_sigma = speed_only.speed_sigma = 0.5;
  both.link_sigma = 0.5;
  const Population first = draw({both}), again = draw({both}), single = draw({speed_only}), other = draw({both}, 2);
  for (std::size_t client = 0; client < 10; ++client) {
    CHECK(first.clients[client].slowdown == again.clients[client].slowdown);
    CHECK(first.clients[client].down.value() == again.clients[client].down.value());
    CHECK(first.clients[client].slowdown == single.clients[client].slowdown);
    CHECK(first.clients[client].slowdown != other.clients[client].slowdown);
  }
  ClientGroup half = both;
  half.count = 5;
  const Population split = draw({half, half});
  CHECK(split.clients[7].slowdown == first.clients[7].slowdown);
}

TEST_CASE("capacities take the place of the spreads, row by row and again from the first") {
  ClientGroup traced = group(3);
  traced.speed_sigma = traced.link_sigma = 1;
  traced.slowdown = 2;
  traced.capacities = {{Seconds(0.005), BytesPerSecond(1e6)}, {Seconds(0.0125), BytesPerSecond(8e4)}};
  const Population population = draw({group(1), traced});
  CHECK(population.clients[1].per_sample_s == 0.01F);
  CHECK(population.clients[1].up.value() == 1e6);
  CHECK(population.clients[1].down.value() == 1e6);
  CHECK(population.clients[1].slowdown == 2);
  CHECK(population.clients[2].per_sample_s == 0.025F);
  CHECK(population.clients[2].up.value() == 8e4);
  CHECK(population.clients[3].per_sample_s == 0.01F);
}

TEST_CASE("client c is host c and the server the last host, with whole latencies") {
  const Population population = draw({group(2)});
  const std::vector<AccessLine> lines = access_lines(population);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].up.value() == 1e6);
  CHECK(lines[1].down.value() == 4e6);
  CHECK(lines[1].latency.value() == 0.02);
  CHECK(lines[2].up.value() == 5e7);
  CHECK(lines[2].down.value() == 5e8);
  CHECK(lines[2].latency.value() == 0.02);
}

TEST_CASE("a client is small") {
  CHECK(sizeof(Client) <= 32);
}

}  // namespace orrery
