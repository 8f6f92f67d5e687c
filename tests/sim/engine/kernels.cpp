// The verbs themselves, on both kernels.
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/verb_ends.hpp"

namespace orrery::test {

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
    const double time = in_fresh_process([bytes] {
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

TEST_CASE("engines are named as in scenario files") {
  CHECK(std::string(name_of(EngineKind::flow)) == "flow");
  CHECK(std::string(name_of(EngineKind::closed_form)) == "closed-form");
}

}  // namespace orrery::test
