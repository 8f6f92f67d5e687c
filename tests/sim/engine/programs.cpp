// Programs on the engine: order, messages, collectives.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/one_collective.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/small_programs.hpp"

namespace orrery::test {

TEST_CASE("operations of one stream follow each other, streams run beside each other") {
  for (const EngineKind kind : both) {
    Program program(2);
    const OpId first = program.add(compute(0, 1.0));
    program.add(compute(0, 2.0));
    program.add(compute(1, 5.0, {first}));
    program.add(send(0, 1, 1e9, {first}));
    program.add(receive(1, 0));
    const Records records = run(program, kind, star(2, {1e9, 0.5}));
    REQUIRE(records.activities.size() == 5);
    check_times(records.activities[0], 0.0, 0.0, 1.0);
    check_times(records.activities[1], 1.0, 1.0, 3.0);
    check_times(records.activities[2], 1.0, 1.0, 6.0);
    check_times(records.activities[3], 1.0, 1.0, 2.5);  // 0.5 s latency, 1 s bytes
    check_times(records.activities[4], 0.0, 1.0, 2.5);  // posted at 0, begins with the flow
    CHECK(records.makespan.value() == Approx(6.0).epsilon(1e-12));
    CHECK(records.ranks == 2);
    CHECK(records.messages == 1);
    CHECK(records.fidelity == Fidelity::exact);
    CHECK(records.activities[3].bytes == Bytes(1e9));
    CHECK(records.activities[3].peer == RankId(1));
    CHECK(records.activities[4].bytes == Bytes());
    CHECK(records.activities[4].peer == RankId(0));
    CHECK(records.activities[1].flops == Flops(20.0));
    REQUIRE(records.links.size() == 4);
    CHECK(records.links[0].bytes == Bytes(1e9));
  }
}

TEST_CASE("a receive that comes after its message ends when it is ready") {
  for (const EngineKind kind : both) {
    Program program(2);
    program.add(send(0, 1, 1e9));
    const OpId busy = program.add(compute(1, 4.0));
    const OpId arrived = program.add(receive(1, 0, {busy}));
    program.add(compute(1, 1.0, {arrived}));
    const Records records = run(program, kind, star(2, {1e9, 0.0}));
    check_times(records.activities[2], 4.0, 4.0, 4.0);
    check_times(records.activities[3], 4.0, 4.0, 5.0);
  }
}

TEST_CASE("messages with one tag are taken in the order of the sends") {
  Program program(2);
  program.add(send(0, 1, 1e9));
  program.add(send(0, 1, 2e9));
  program.add(receive(1, 0));
  program.add(receive(1, 0));
  const Records records = run(program, EngineKind::flow, star(2, {1e9, 0.0}));
  check_times(records.activities[2], 0.0, 0.0, 1.0);
  check_times(records.activities[3], 1.0, 1.0, 3.0);
}

TEST_CASE("a collective starts when its last member has come, and ends for all at once") {
  for (const EngineKind kind : both) {
    Program program(3);
    const CollectiveId sum = add_ring(program, {0, 1, 2}, 3e9);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      const OpId work = program.add(compute(rank, 1.0 + static_cast<double>(rank)));
      program.add(call(rank, sum, {work}));
    }
    const Records records = run(program, kind, star(3, {1e9, 0.0}));
    // 4 steps of 1 GB over 1 GB/s, from 3 s on.
    check_times(records.activities[1], 1.0, 3.0, 7.0);
    check_times(records.activities[3], 2.0, 3.0, 7.0);
    check_times(records.activities[5], 3.0, 3.0, 7.0);
    for (const std::size_t op : {1, 3, 5}) CHECK(records.activities[op].bytes.value() == Approx(4e9).epsilon(1e-12));
    CHECK(records.messages == 12);
    CHECK(records.activities[1].dimension == Dimension::dp);
    CHECK(records.activities[1].stream == Stream::collective);
  }
}

TEST_CASE("two jobs on the same links take twice the time") {
  const Platform platform = star(4, {1e9, 0.0});
  const auto time_of = [&](std::size_t jobs) {
    Program program(4 * jobs);
    std::vector<DeviceId> hosts;
    for (std::size_t job = 0; job < jobs; ++job) {
      const std::size_t base = 4 * job;
      const CollectiveId sum = add_ring(program, {base, base + 1, base + 2, base + 3}, 4e9);
      for (std::size_t rank = base; rank < base + 4; ++rank) {
        program.add(call(rank, sum));
        hosts.emplace_back(rank - base);
      }
    }
    return run_program(program, *make_kernel(EngineKind::flow, platform), hosts, {}).makespan.value();
  };
  CHECK(time_of(1) == Approx(6.0).epsilon(1e-9));  // 2 x 3 steps of 1 GB
  CHECK(time_of(2) == Approx(12.0).epsilon(1e-9));
}

TEST_CASE("collectives of two dimensions run beside each other, of one dimension one after the other") {
  for (const Dimension second : {Dimension::dp, Dimension::tp}) {
    Program program(2);
    const CollectiveId a = add_ring(program, {0, 1}, 2e9);
    const CollectiveId b = add_ring(program, {0, 1}, 2e9);
    for (std::size_t rank = 0; rank < 2; ++rank) {
      program.add(call(rank, a));
      Op other = call(rank, b);
      other.dimension = second;
      program.add(other);
    }
    const Records records = run(program, EngineKind::flow, star(2, {1e9, 0.0}));
    CHECK(records.makespan.value() == Approx(4.0).epsilon(1e-9));  // the same bytes over the same links
    CHECK(records.activities[1].start.value() == Approx(second == Dimension::dp ? 2.0 : 0.0).margin(1e-12));
  }
}

TEST_CASE("hierarchical collectives take the nodes from the hosts") {
  // Inside 10 GB/s, network 1 GB/s; 2 nodes of 2; 4 GB: inside 2 x 1 step of 2 GB, between 2 x 1 step of 1 GB.
  const Platform platform = cluster(2, 2, 2, {{10e9, 0.0}, {1e9, 0.0}, 100e9});
  const Collective sum{CollectiveKind::all_reduce, Algorithm::hierarchical, GroupId(), Bytes(4e9), 0};
  const auto time = [&](const std::vector<DeviceId>& hosts) {
    return run_collective(sum, *make_kernel(EngineKind::flow, platform), hosts, {}).value();
  };
  CHECK(time(all_hosts(platform)) == Approx(2 * 0.2 + 2 * 1.0).epsilon(1e-9));
  // Hosts that alternate between the nodes do not fill them in order: a plain ring over the network, 6 steps of 1 GB.
  CHECK(time({DeviceId(0), DeviceId(2), DeviceId(1), DeviceId(3)}) == Approx(6.0).epsilon(1e-9));
}

TEST_CASE("progress grows to one") {
  Program program(1);
  for (int i = 0; i < 1000; ++i) program.add(compute(0, 1.0));
  std::vector<double> shares;
  EngineOptions options;
  options.progress = [&](double share) { shares.push_back(share); };
  run(program, EngineKind::closed_form, star(1, {}), options);
  CHECK(shares.size() == 100);
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(shares.back() == 1.0);
}

TEST_CASE("long chains of operations that end at once do not pile up") {
  Program program(1);
  const CollectiveId alone = add_ring(program, {0}, 1e9);
  program.add(call(0, alone));
  for (int i = 0; i < 100000; ++i) program.add(compute(0, 0.0));
  for (const EngineKind kind : both) CHECK(run(program, kind, star(1, {})).makespan == Seconds());
}

TEST_CASE("programs on one kernel follow each other on its clock") {
  for (const EngineKind kind : both) {
    const Platform platform = star(2, {1e9, 0.0});
    const auto kernel = make_kernel(kind, platform);
    Program program(2);
    program.add(send(0, 1, 1e9));
    program.add(receive(1, 0));
    CHECK(run_program(program, *kernel, all_hosts(platform), {}).makespan.value() == Approx(1.0).epsilon(1e-12));
    const Records second = run_program(program, *kernel, all_hosts(platform), {});
    check_times(second.activities[0], 1.0, 1.0, 2.0);
    CHECK(second.messages == 1);
  }
}

TEST_CASE("the same program gives the same records again, bit for bit") {
  const Platform platform = cluster(4, 4, 2, {{300e9, 1e-6}, {50e9, 3e-6}, 70e9});
  Program program(16);
  std::vector<std::size_t> everyone(16);
  for (std::size_t rank = 0; rank < 16; ++rank) everyone[rank] = rank;
  for (int bucket = 0; bucket < 3; ++bucket) {
    const CollectiveId sum = add_ring(program, everyone, 1e8 / 7.0);
    for (const std::size_t rank : everyone) {
      const OpId work = program.add(compute(rank, 1e-4 * static_cast<double>(1 + rank % 3)));
      program.add(call(rank, sum, {work}));
    }
  }
  // 53 bits of the dump's hash: what a double carries exactly.
  const auto fingerprint = [&] {
    return static_cast<double>(std::hash<std::string>{}(dump(run(program, EngineKind::flow, platform))) >> 11);
  };
  CHECK(in_fresh_process(fingerprint) == in_fresh_process(fingerprint));
}

}  // namespace orrery::test
