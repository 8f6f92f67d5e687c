// The star network against SimGrid's CM02 on the same stars.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/engine/kernel.hpp"
#include "sim/engine/star_network.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/access_line.hpp"
#include "tests/sim/engine/fresh_process.hpp"

namespace orrery {

namespace {

struct Load {
  std::size_t from = 0, to = 0;
  double start = 0, bytes = 0;
};

Platform platform_of(const std::vector<AccessLine>& lines) {
  Platform platform;
  platform.zones.push_back({"core", {}, {}});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string name = "host" + std::to_string(i);
    const LinkId up = platform.add_link({name + ".up", lines[i].up, lines[i].latency, LinkScope::inter_node});
    const LinkId down = platform.add_link({name + ".down", lines[i].down, lines[i].latency, LinkScope::inter_node});
    platform.hosts.push_back({name, static_cast<std::int32_t>(i), {}, Port{0, {up}, {down}}});
  }
  return platform;
}

std::vector<double> ends_on_kernel(Kernel& kernel, const std::vector<Load>& loads) {
  std::vector<double> ends(loads.size(), -1.0);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    kernel.after(Seconds(loads[i].start), [&, i] {
      kernel.flow(DeviceId(loads[i].from), DeviceId(loads[i].to), Bytes(loads[i].bytes),
                  [&, i](Outcome) { ends[i] = kernel.now().value(); });
    });
  }
  kernel.run();
  return ends;
}

std::vector<double> ends_on_star(const std::vector<AccessLine>& lines, EngineKind engine,
                                 const std::vector<Load>& loads) {
  StarNetwork net(lines, engine);
  std::vector<double> ends(loads.size(), -1.0);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    net.after(Seconds(loads[i].start), [&, i] {
      net.flow(DeviceId(loads[i].from), DeviceId(loads[i].to), Bytes(loads[i].bytes),
               [&, i] { ends[i] = net.now().value(); });
    });
  }
  net.run();
  return ends;
}

/// The largest relative difference of an end between a Kernel and the star network.
double difference(EngineKind engine, const std::vector<AccessLine>& lines, const std::vector<Load>& loads) {
  const Platform platform = platform_of(lines);
  const std::vector<double> theirs = ends_on_kernel(*make_kernel(engine, platform), loads);
  const std::vector<double> ours = ends_on_star(lines, engine, loads);
  double worst = 0.0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (theirs[i] <= 0.0) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, std::abs(ours[i] / theirs[i] - 1.0));
  }
  return worst;
}

std::vector<AccessLine> random_lines(Random& random, std::size_t hosts) {
  std::vector<AccessLine> lines;
  for (std::size_t i = 0; i < hosts; ++i) {
    lines.push_back(line(random.uniform(1e5, 1e7), random.uniform(1e5, 1e7), random.uniform(0, 0.1)));
  }
  return lines;
}

}  // namespace

TEST_CASE("a hub with staggered and simultaneous starts runs as on SimGrid") {
  for (const double hub_rate : {2e6, 2e7, 1e9}) {
    Random random(static_cast<std::uint64_t>(hub_rate));
    std::vector<AccessLine> lines = random_lines(random, 60);
    lines.push_back(line(hub_rate, hub_rate, 0.01));
    std::vector<Load> loads;
    for (int i = 0; i < 500; ++i) {
      const std::size_t client = random.below(60);
      const double start = std::floor(random.uniform(1, 40));
      loads.push_back({client, 60, start, random.uniform(1e5, 1e7)});
      loads.push_back({60, client, start, 3e6});
    }
    INFO("hub " << hub_rate);
    const auto child = [&] { return difference(EngineKind::flow, lines, loads); };
    CHECK(test::in_fresh_process(child) < 1e-9);
    CHECK(difference(EngineKind::closed_form, lines, loads) < 1e-12);
  }
}

TEST_CASE("peers that send to each other run as on SimGrid") {
  for (const std::size_t hosts : {2, 3, 5, 12, 40}) {
    Random random(hosts);
    const std::vector<AccessLine> lines = random_lines(random, hosts);
    std::vector<Load> loads;
    for (int i = 0; i < 300; ++i) {
      const std::size_t from = random.below(hosts), to = (from + 1 + random.below(hosts - 1)) % hosts;
      loads.push_back({from, to, random.uniform(1, 30), random.uniform(1e4, 1e7)});
    }
    INFO(hosts << " hosts");
    const auto child = [&] { return difference(EngineKind::flow, lines, loads); };
    CHECK(test::in_fresh_process(child) < 1e-9);
  }
}

TEST_CASE("a crowd of peers, all of whose lines contend, runs as on SimGrid") {
  Random random(100);
  std::vector<AccessLine> lines;
  for (int i = 0; i < 100; ++i) lines.push_back(line(random.uniform(1e6, 2e6), random.uniform(1e6, 2e6), 0.01));
  std::vector<Load> loads;
  for (int i = 0; i < 1500; ++i) {
    const std::size_t from = random.below(100), to = (from + 1 + random.below(99)) % 100;
    loads.push_back({from, to, random.uniform(1, 10), random.uniform(1e5, 2e6)});
  }
  CHECK(test::in_fresh_process([&] { return difference(EngineKind::flow, lines, loads); }) < 1e-9);
}

TEST_CASE("equal peers around a ring run as on SimGrid") {
  const std::vector<AccessLine> lines(16, line(1e6, 1.5e6, 0.02));
  std::vector<Load> loads;
  for (int round = 0; round < 5; ++round) {
    for (std::size_t host = 0; host < 16; ++host) {
      loads.push_back({host, (host + 1) % 16, 1.0 + round, 1e6});
      loads.push_back({host, (host + 15) % 16, 1.0 + round, 1e6});
    }
  }
  CHECK(test::in_fresh_process([&] { return difference(EngineKind::flow, lines, loads); }) < 1e-9);
}

}  // namespace orrery
