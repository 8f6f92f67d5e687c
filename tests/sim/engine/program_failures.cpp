// Programs that cannot end: what is told of them.
#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/small_programs.hpp"

namespace orrery::test {

TEST_CASE("what never ended is named when a host fails") {
  for (const EngineKind kind : both) {
    const Platform platform = star(2, {1e9, 0.0});
    Program program(2);
    const OpId work = program.add(compute(1, 10.0));
    program.add(compute(0, 1.0));
    for (int i = 0; i < 6; ++i) program.add(compute(0, 1.0, {work}));
    const auto kernel = make_kernel(kind, platform);
    kernel->after(Seconds(2.0), [&] { kernel->fail(DeviceId(1)); });
    CHECK(
        error_of(program, *kernel, all_hosts(platform)) ==
        "7 of 8 operations never ended, after 1 failed flows and works: op 0 (rank 1, forward, compute), op 2 (rank 0, "
        "forward, compute), op 3 (rank 0, forward, compute), op 4 (rank 0, forward, compute), op 5 (rank 0, forward, "
        "compute) and 2 more");
  }
}

TEST_CASE("a link that fails in the middle of a collective stops it, and the members are named") {
  for (const EngineKind kind : both) {
    const Platform platform = star(2, {1e9, 0.0});
    Program program(2);
    const CollectiveId sum = add_ring(program, {0, 1}, 10e9);
    program.add(call(0, sum));
    program.add(call(1, sum));
    const auto kernel = make_kernel(kind, platform);
    kernel->after(Seconds(2.0), [&] { kernel->fail(LinkId(0)); });
    CHECK(
        error_of(program, *kernel, all_hosts(platform)) ==
        "2 of 2 operations never ended, after 1 failed flows and works: op 0 (rank 0, gradient_exchange, all_reduce), "
        "op 1 (rank 1, gradient_exchange, all_reduce)");
  }
}

TEST_CASE("a way that does not exist is told when the message starts, not before the run and not by an abort") {
  Platform platform = cluster(2, 2, 2, {{1e9, 0.0}, {1e9, 0.0}, 4e9});
  platform.hosts[3].network.reset();
  for (const EngineKind kind : both) {
    Program program(4);
    const OpId work = program.add(compute(0, 1.0));
    const OpId sent = program.add(send(0, 1, 1e9, {work}));
    program.add(receive(1, 0));
    program.add(send(0, 3, 1.0, {sent}));
    program.add(receive(3, 0));
    const auto kernel = make_kernel(kind, platform);
    CHECK(error_of(program, *kernel, all_hosts(platform)) ==
          "there is no way from node0.device0 to node1.device1: node1.device1 has no network port");
  }
}

}  // namespace orrery::test
