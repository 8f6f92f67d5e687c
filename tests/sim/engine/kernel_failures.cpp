// Hosts and links that fail, on both kernels.
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/verb_ends.hpp"

namespace orrery::test {

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

}  // namespace orrery::test
