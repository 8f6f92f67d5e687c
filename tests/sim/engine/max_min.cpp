// Sharing against a reference of its own: max-min fair rates by progressive filling (Bertsekas and Gallager, "Data
// Networks", 1992, section 6.5.2), moved from event to event.
#include <algorithm>
#include <limits>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

struct Load {
  DeviceId from, to;
  double start = 0.0, bytes = 0.0;
};

struct Moving {
  std::vector<LinkId> links;
  double start = 0.0, left = 0.0, rate = 0.0, end = -1.0;
  bool fixed = false;  // its rate is final
};

/// Fills all links at the same pace; the flows of a link that is full keep what they have.
void set_rates(const Platform& platform, std::vector<Moving*>& flows) {
  std::vector<double> room;
  for (const PlatformLink& link : platform.links) room.push_back(link.bandwidth.value());
  for (Moving* flow : flows) flow->fixed = false;
  for (std::size_t left = flows.size(); left > 0;) {
    std::vector<int> users(room.size(), 0);
    for (const Moving* flow : flows) {
      for (const LinkId id : flow->links) users[id.index()] += flow->fixed ? 0 : 1;
    }
    std::size_t fullest = 0;
    double share = std::numeric_limits<double>::infinity();
    for (std::size_t link = 0; link < room.size(); ++link) {
      if (users[link] > 0 && room[link] / users[link] < share) {
        share = room[link] / users[link];
        fullest = link;
      }
    }
    for (Moving* flow : flows) {
      if (flow->fixed || std::count(flow->links.begin(), flow->links.end(), LinkId(fullest)) == 0) continue;
      flow->fixed = true;
      flow->rate = share;
      --left;
      for (const LinkId id : flow->links) room[id.index()] -= share;
    }
  }
}

std::vector<double> ends_by_reference(const Platform& platform, const std::vector<Load>& loads) {
  std::vector<Moving> all;
  for (const Load& load : loads) all.push_back({route(platform, load.from, load.to).links, load.start, load.bytes});
  double time = 0.0;
  for (;;) {
    std::vector<Moving*> active;
    double next = std::numeric_limits<double>::infinity();
    for (Moving& flow : all) {
      if (flow.end >= 0.0) continue;
      if (flow.start <= time) active.push_back(&flow);
      if (flow.start > time) next = std::min(next, flow.start);
    }
    set_rates(platform, active);
    for (const Moving* flow : active) next = std::min(next, time + flow->left / flow->rate);
    if (next == std::numeric_limits<double>::infinity()) break;
    for (Moving* flow : active) {
      flow->left -= flow->rate * (next - time);
      if (flow->left <= 1e-3) flow->end = next;  // bytes: the last digits of the clock
    }
    time = next;
  }
  std::vector<double> ends;
  for (const Moving& flow : all) ends.push_back(flow.end);
  return ends;
}

std::vector<double> ends_by_kernel(const Platform& platform, const std::vector<Load>& loads) {
  const auto kernel = make_simgrid_kernel(platform);
  std::vector<double> ends(loads.size(), -1.0);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    kernel->after(Seconds(loads[i].start), [&, i] {
      kernel->flow(loads[i].from, loads[i].to, Bytes(loads[i].bytes),
                   [&, i](Outcome) { ends[i] = kernel->now().value(); });
    });
  }
  kernel->run();
  return ends;
}

}  // namespace

TEST_CASE("flows that come and go share every link as progressive filling says, alone or in a crowd") {
  // Ports and uplinks of unlike speed, no latency.
  const Platform platform = test::cluster(6, 3, 2, {{8e9, 0.0}, {1e9, 0.0}, 1.7e9});
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    std::vector<Load> loads;
    const std::size_t count = 2 + random.below(40);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t from = random.below(18);
      const std::size_t to = (from + 1 + random.below(17)) % 18;
      // Some starts and sizes coincide, as they do in training.
      loads.push_back({DeviceId(from), DeviceId(to), 0.25 * static_cast<double>(random.below(20)),
                       random.below(2) == 0 ? 1e9 : 1.0 + 3e9 * random.uniform()});
    }
    const std::vector<double> wanted = ends_by_reference(platform, loads);
    const std::vector<double> found = ends_by_kernel(platform, loads);
    for (std::size_t i = 0; i < count; ++i) {
      INFO("seed " << seed << " flow " << i);
      REQUIRE(found[i] == Approx(wanted[i]).epsilon(1e-9));
    }
  }
}

}  // namespace orrery
