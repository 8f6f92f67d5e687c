// The verbs themselves, on both kernels.
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

using test::cluster;
using test::star;

/// What the end of a verb looked like.
struct End {
  double time = -1.0;
  Outcome outcome = Outcome::done;
};

Done note(Kernel& kernel, End& end) {
  return [&kernel, &end](Outcome outcome) { end = {kernel.now().value(), outcome}; };
}

constexpr EngineKind both[] = {EngineKind::flow, EngineKind::closed_form};

}  // namespace

TEST_CASE("a flow takes its latency and then its bytes over the slowest link") {
  for (const EngineKind kind : both) {
    Platform platform = star(2, {1e9, 0.2});
    platform.links[3].bandwidth = BytesPerSecond(0.5e9);  // host1.down
    const auto kernel = make_kernel(kind, platform);
    End end, back, none, self;
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(1e9), note(*kernel, end));
    kernel->flow(DeviceId(1), DeviceId(0), Bytes(1e9), 3.0, note(*kernel, back));
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(), note(*kernel, none));
    kernel->flow(DeviceId(0), DeviceId(0), Bytes(5e9), note(*kernel, self));
    kernel->run();
    CHECK(end.time == Approx(2.2).epsilon(1e-12));
    CHECK(back.time == Approx(3 * 0.2 + 1.0).epsilon(1e-12));
    CHECK(none.time == Approx(0.2).epsilon(1e-12));
    CHECK(self.time == 0.0);
    CHECK(kernel->flows_started() == 4);
  }
}

TEST_CASE("links remember what crossed them and for how long") {
  for (const EngineKind kind : both) {
    const auto kernel = make_kernel(kind, star(3, {1e9, 0.0}));
    End first, second;
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(1e9), note(*kernel, first));
    kernel->after(Seconds(5.0), [&] { kernel->flow(DeviceId(0), DeviceId(2), Bytes(2e9), note(*kernel, second)); });
    kernel->run();
    const std::vector<LinkUse> use = kernel->link_use();
    REQUIRE(use.size() == 6);
    CHECK(use[0].bytes == Bytes(3e9));  // host0.up
    CHECK(use[0].busy.value() == Approx(3.0).epsilon(1e-12));
    CHECK(use[1].bytes == Bytes());  // host0.down
    CHECK(use[1].busy == Seconds());
    CHECK(use[5].bytes == Bytes(2e9));  // host2.down
    CHECK(use[5].busy.value() == Approx(2.0).epsilon(1e-12));
  }
}

TEST_CASE("two flows on one link take twice the time, their links are busy once") {
  const auto kernel = make_simgrid_kernel(star(3, {1e9, 0.0}));
  End first, second;
  kernel->flow(DeviceId(0), DeviceId(1), Bytes(1e9), note(*kernel, first));
  kernel->flow(DeviceId(0), DeviceId(2), Bytes(1e9), note(*kernel, second));
  kernel->run();
  CHECK(first.time == Approx(2.0).epsilon(1e-12));
  CHECK(second.time == Approx(2.0).epsilon(1e-12));
  CHECK(kernel->link_use()[0].busy.value() == Approx(2.0).epsilon(1e-12));
}

TEST_CASE("ten clients share the link of one server fairly, whatever their latency") {
  Platform platform = star(11, {1e9, 0.0});
  for (std::size_t i = 1; i < 11; ++i) {
    platform.links[2 * i].latency = Seconds(0.0);
    platform.links[2 * i].bandwidth = BytesPerSecond(i == 10 ? 5e7 : 1e9);
  }
  const auto kernel = make_simgrid_kernel(platform);
  std::vector<End> ends(11);
  for (std::size_t i = 1; i < 11; ++i) {
    kernel->flow(DeviceId(i), DeviceId(0), Bytes(1e9), note(*kernel, ends[i]));
  }
  kernel->run();
  // Client 10 has 0.05 GB/s of its own; the other nine share 0.95 GB/s and are done at 9/0.95 s.
  for (std::size_t i = 1; i < 10; ++i) CHECK(ends[i].time == Approx(9.0 / 0.95).epsilon(1e-9));
  CHECK(ends[10].time == Approx(20.0).epsilon(1e-9));
}

TEST_CASE("a flow with a long latency gets the same share as one without, once its bytes move") {
  Platform platform = star(3, {1e9, 0.0});
  platform.links[5].latency = Seconds(1.0);  // host2.down
  const auto kernel = make_simgrid_kernel(platform);
  End near, far;
  kernel->flow(DeviceId(0), DeviceId(1), Bytes(2e9), note(*kernel, near));
  kernel->flow(DeviceId(0), DeviceId(2), Bytes(2e9), note(*kernel, far));
  kernel->run();
  // Alone for 1 s (1 GB), then halves: the near one needs 2 s more, the far one has 1 GB left and the link for itself.
  CHECK(near.time == Approx(3.0).epsilon(1e-9));
  CHECK(far.time == Approx(4.0).epsilon(1e-9));
}

TEST_CASE("neighbours in a node do not touch the network, other leaves contend for the uplink") {
  // 4 nodes of 2 in 2 leaves; a network port carries 1 GB/s, an uplink 2 GB/s, an inside port 8 GB/s.
  const Platform platform = cluster(4, 2, 2, {{8e9, 0.0}, {1e9, 0.0}, 2e9});
  const auto kernel = make_simgrid_kernel(platform);
  End inside, leaf;
  std::vector<End> across(4);
  kernel->flow(DeviceId(0), DeviceId(1), Bytes(8e9), note(*kernel, inside));
  kernel->flow(DeviceId(1), DeviceId(2), Bytes(1e9), note(*kernel, leaf));
  kernel->run();
  CHECK(inside.time == Approx(1.0).epsilon(1e-12));
  CHECK(leaf.time == Approx(1.0).epsilon(1e-12));
  const double start = kernel->now().value();
  for (std::size_t i = 0; i < 4; ++i) {
    kernel->flow(DeviceId(i), DeviceId(4 + i), Bytes(1e9), note(*kernel, across[i]));
  }
  kernel->run();
  for (const End& end : across) CHECK(end.time - start == Approx(2.0).epsilon(1e-12));  // 4 GB over 2 GB/s
}

TEST_CASE("a bus in both directions of a route carries the bytes once") {
  Platform platform;
  platform.zones.push_back({"air", {}, {}});
  const LinkId air = platform.add_link({"channel", BytesPerSecond(1e6), Seconds(0.5), LinkScope::wan});
  for (std::size_t i = 0; i < 2; ++i) {
    platform.hosts.push_back({fmt::format("phone{}", i), static_cast<std::int32_t>(i), {}, Port{0, {air}, {air}}});
  }
  for (const EngineKind kind : both) {
    const auto kernel = make_kernel(kind, platform);
    End end;
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(1e6), note(*kernel, end));
    kernel->run();
    CHECK(end.time == Approx(1.5).epsilon(1e-12));
    CHECK(kernel->link_use()[0].bytes == Bytes(1e6));
  }
}

TEST_CASE("fractions of bytes are not lost, however small the flow") {
  for (const double bytes : {0.3, 1.0 / 3.0, 100.0 / 7.0, 1e9 / 7.0, 1e13 / 3.0}) {
    const double time = test::in_fresh_process([bytes] {
      const auto kernel = make_simgrid_kernel(star(2, {1e3, 0.0}));
      End end;
      kernel->flow(DeviceId(0), DeviceId(1), Bytes(bytes), note(*kernel, end));
      kernel->run();
      return end.time;
    });
    CHECK(time == Approx(bytes / 1e3).epsilon(1e-9));
  }
}

TEST_CASE("a shared flow beyond SimGrid's counters is refused with its reason") {
  const auto kernel = make_simgrid_kernel(star(2, {1e9, 0.0}));
  kernel->flow(DeviceId(0), DeviceId(1), Bytes(1.0), [](Outcome) {});
  CHECK_THROWS_AS(kernel->flow(DeviceId(0), DeviceId(1), Bytes(1e15), [](Outcome) {}), std::runtime_error);
  kernel->run();
}

TEST_CASE("work takes its time, two works on one host share it, a third comes later") {
  const auto kernel = make_simgrid_kernel(star(2, {1e9, 0.0}));
  End first, second, third, elsewhere, nothing;
  kernel->compute(DeviceId(0), Seconds(3.0), note(*kernel, first));
  kernel->compute(DeviceId(1), Seconds(3.0), note(*kernel, elsewhere));
  kernel->compute(DeviceId(1), Seconds(), note(*kernel, nothing));
  kernel->after(Seconds(1.0), [&] { kernel->compute(DeviceId(0), Seconds(1.0), note(*kernel, second)); });
  kernel->after(Seconds(10.0), [&] { kernel->compute(DeviceId(0), Seconds(2.0), note(*kernel, third)); });
  kernel->run();
  CHECK(second.time == Approx(3.0).epsilon(1e-12));  // half speed from 1 s on
  CHECK(first.time == Approx(4.0).epsilon(1e-12));   // 1 s alone, 2 s at half speed, 1 s alone
  CHECK(third.time == Approx(12.0).epsilon(1e-12));  // alone again
  CHECK(elsewhere.time == Approx(3.0).epsilon(1e-12));
  CHECK(nothing.time == 0.0);
}

TEST_CASE("when a host fails, its flows and works fail at that moment and the others go on") {
  for (const EngineKind kind : both) {
    const auto kernel = make_kernel(kind, star(4, {1e9, 0.0}));
    End work, to, from, waiting, other, late_work, late_flow;
    kernel->compute(DeviceId(1), Seconds(10.0), note(*kernel, work));
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(10e9), note(*kernel, to));
    kernel->flow(DeviceId(1), DeviceId(2), Bytes(10e9), note(*kernel, from));
    kernel->flow(DeviceId(0), DeviceId(3), Bytes(10e9), note(*kernel, other));
    kernel->after(Seconds(2.0), [&] { kernel->fail(DeviceId(1)); });
    kernel->after(Seconds(3.0), [&] {
      kernel->compute(DeviceId(1), Seconds(1.0), note(*kernel, late_work));
      kernel->flow(DeviceId(3), DeviceId(1), Bytes(1.0), note(*kernel, late_flow));
    });
    kernel->run();
    for (const End& end : {work, to, from}) {
      CHECK(end.outcome == Outcome::failed);
      CHECK(end.time == Approx(2.0).epsilon(1e-12));
    }
    for (const End& end : {late_work, late_flow}) {
      CHECK(end.outcome == Outcome::failed);
      CHECK(end.time == Approx(3.0).epsilon(1e-12));
    }
    CHECK(other.outcome == Outcome::done);
    // Contended: 1 GB in the first 2 s, then host0's port alone: 9 s. Closed form: 10 s whatever happens.
    CHECK(other.time == Approx(kind == EngineKind::flow ? 11.0 : 10.0).epsilon(1e-12));
  }
}

TEST_CASE("works that share a host all fail with it") {
  const auto kernel = make_simgrid_kernel(star(2, {1e9, 0.0}));
  End first, second;
  kernel->compute(DeviceId(0), Seconds(5.0), note(*kernel, first));
  kernel->compute(DeviceId(0), Seconds(5.0), note(*kernel, second));
  kernel->after(Seconds(4.0), [&] { kernel->fail(DeviceId(0)); });
  kernel->run();
  for (const End& end : {first, second}) {
    CHECK(end.outcome == Outcome::failed);
    CHECK(end.time == Approx(4.0).epsilon(1e-12));
  }
}

TEST_CASE("when a link fails, what crosses it fails, also what still waits out its latency") {
  for (const EngineKind kind : both) {
    Platform platform = star(3, {1e9, 4.0});
    const auto kernel = make_kernel(kind, platform);
    End waiting, moving, other, late;
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(5e9), note(*kernel, moving));
    kernel->after(Seconds(3.0), [&] { kernel->flow(DeviceId(0), DeviceId(2), Bytes(1e9), note(*kernel, waiting)); });
    kernel->flow(DeviceId(1), DeviceId(2), Bytes(1e9), note(*kernel, other));
    kernel->after(Seconds(5.0), [&] { kernel->fail(LinkId(0)); });  // host0.up
    kernel->after(Seconds(6.0), [&] { kernel->flow(DeviceId(0), DeviceId(1), Bytes(1.0), note(*kernel, late)); });
    kernel->run();
    CHECK(moving.outcome == Outcome::failed);
    CHECK(moving.time == Approx(5.0).epsilon(1e-12));
    CHECK(waiting.outcome == Outcome::failed);
    CHECK(waiting.time == Approx(5.0).epsilon(1e-12));
    CHECK(late.outcome == Outcome::failed);
    CHECK(late.time == Approx(6.0).epsilon(1e-12));
    CHECK(other.outcome == Outcome::done);
    CHECK(other.time == Approx(5.0).epsilon(1e-12));
    const std::vector<LinkUse> use = kernel->link_use();
    CHECK(use[0].bytes == Bytes());  // cut: not counted
    CHECK(use[0].busy.value() == Approx(1.0).epsilon(1e-12));
  }
}

TEST_CASE("a failed flow can be answered by one that goes another way at the same moment") {
  for (const EngineKind kind : both) {
    const auto kernel = make_kernel(kind, star(3, {1e9, 0.0}));
    End again;
    kernel->flow(DeviceId(0), DeviceId(1), Bytes(4e9), [&](Outcome outcome) {
      CHECK(outcome == Outcome::failed);
      kernel->flow(DeviceId(0), DeviceId(2), Bytes(4e9), note(*kernel, again));
    });
    kernel->after(Seconds(1.0), [&] { kernel->fail(DeviceId(1)); });
    kernel->run();
    CHECK(again.outcome == Outcome::done);
    CHECK(again.time == Approx(5.0).epsilon(1e-12));
  }
}

TEST_CASE("events of the same time happen in the order in which they were asked for") {
  const auto kernel = make_closed_form_kernel(star(1, {}));
  std::string order;
  for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
    kernel->after(Seconds(1.0), [&order, letter] { order += letter; });
  }
  kernel->after(Seconds(0.5), [&order] { order += '-'; });
  kernel->run();
  CHECK(order == "-abcde");
}

TEST_CASE("a process holds one SimGrid kernel at a time, the next one starts at zero") {
  {
    const auto first = make_simgrid_kernel(star(2, {1e9, 0.0}));
    first->after(Seconds(7.0), [] {});
    first->run();
    CHECK(first->now() == Seconds(7.0));
    CHECK_THROWS_AS(make_simgrid_kernel(star(2, {1e9, 0.0})), std::runtime_error);
  }
  CHECK(make_simgrid_kernel(star(2, {1e9, 0.0}))->now() == Seconds());
}

TEST_CASE("routes follow the ports of a host") {
  const Platform platform = cluster(2, 2, 1, {{8e9, 2.0}, {1e9, 6.0}, 4e9});
  const Route inside = route(platform, DeviceId(0), DeviceId(1));
  CHECK(inside.links.size() == 2);
  CHECK(inside.latency == Seconds(2.0));
  CHECK(inside.bandwidth == BytesPerSecond(8e9));
  const Route across = route(platform, DeviceId(0), DeviceId(2));
  CHECK(across.links.size() == 4);
  CHECK(across.latency == Seconds(6.0));
  CHECK(across.bandwidth == BytesPerSecond(1e9));
  const Route self = route(platform, DeviceId(3), DeviceId(3));
  CHECK(self.links.empty());
  CHECK(self.latency == Seconds());
  CHECK(self.bandwidth.value() == std::numeric_limits<double>::infinity());
}

TEST_CASE("a host without network port reaches its own node alone") {
  Platform platform = cluster(2, 2, 2, {{8e9, 0.0}, {1e9, 0.0}, 4e9});
  platform.hosts[1].network.reset();
  CHECK(route(platform, DeviceId(0), DeviceId(1)).links.size() == 2);
  std::string reason;
  try {
    route(platform, DeviceId(2), DeviceId(1));
  } catch (const Infeasible& error) {
    reason = error.what();
  }
  CHECK(reason == "there is no way from node1.device0 to node0.device1: node0.device1 has no network port");
}

TEST_CASE("every defect of a platform is told before an engine sees it") {
  Platform platform = star(2, {1e9, 0.0});
  CHECK(check(platform).empty());
  platform.links[0].bandwidth = BytesPerSecond(0.0);
  platform.links[1].latency = Seconds(-1.0);
  platform.links[2].name = "host0.up";
  platform.hosts[0].network->up.push_back(LinkId(9));
  platform.hosts[1].network->zone = 3;
  platform.hosts[1].name = "";
  CHECK(check(platform) == std::vector<std::string>{"link host0.up: the name is given twice", "a host has no name",
                                                    "link host0.up: its bandwidth is not above 0",
                                                    "link host0.down: its latency is not a time of 0 or more",
                                                    "host host0: it uses a link that does not exist",
                                                    "host : its zone 3 does not exist"});
  CHECK_THROWS_AS(make_closed_form_kernel(platform), std::runtime_error);
}

TEST_CASE("engines are named as in scenario files") {
  CHECK(std::string(name_of(EngineKind::flow)) == "flow");
  CHECK(std::string(name_of(EngineKind::closed_form)) == "closed-form");
}

}  // namespace orrery
