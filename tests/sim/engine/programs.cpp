// Programs on the engine: order, messages, collectives, fidelity, and what goes wrong.
#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/program/program.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

using test::all_hosts;
using test::cluster;
using test::star;

constexpr EngineKind both[] = {EngineKind::flow, EngineKind::closed_form};

Op compute(std::size_t rank, double seconds, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::compute,
          Dimension::none,
          Phase::forward,
          {},
          -1,
          std::move(after),
          Compute{Seconds(seconds), Flops(seconds * 10.0)}};
}

Op send(std::size_t rank, std::size_t to, double bytes, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::send,
          Dimension::pp,
          Phase::forward,
          {},
          0,
          std::move(after),
          Send{RankId(to), Bytes(bytes), 0}};
}

Op receive(std::size_t rank, std::size_t from, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::receive,         Dimension::pp, Phase::forward, {}, 0,
          std::move(after), Receive{RankId(from), 0}};
}

Op call(std::size_t rank, CollectiveId collective, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::collective,        Dimension::dp, Phase::gradient_exchange, {}, -1,
          std::move(after), CollectiveCall{collective}};
}

CollectiveId add_ring(Program& program, const std::vector<std::size_t>& ranks, double bytes) {
  std::vector<RankId> members;
  for (const std::size_t rank : ranks) members.emplace_back(rank);
  return program.add_collective(
      {CollectiveKind::all_reduce, Algorithm::ring, program.add_group(members), Bytes(bytes), 0});
}

Records run(const Program& program, EngineKind kind, const Platform& platform, const EngineOptions& options = {}) {
  REQUIRE(check(program).empty());
  return run_program(program, *make_kernel(kind, platform), all_hosts(platform), options);
}

void check_times(const Activity& activity, double ready, double start, double end) {
  CHECK(activity.ready.value() == Approx(ready).epsilon(1e-12).margin(1e-12));
  CHECK(activity.start.value() == Approx(start).epsilon(1e-12).margin(1e-12));
  CHECK(activity.end.value() == Approx(end).epsilon(1e-12).margin(1e-12));
}

std::string error_of(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts) {
  try {
    run_program(program, kernel, hosts, {});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

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

TEST_CASE("automatic fidelity is exact within the budget, then as fine as fits") {
  const Platform platform = star(16, {1e9, 1e-6});
  Program program(16);
  std::vector<std::size_t> everyone(16);
  for (std::size_t rank = 0; rank < 16; ++rank) everyone[rank] = rank;
  const CollectiveId sum = add_ring(program, everyone, 16e6);
  for (const std::size_t rank : everyone) program.add(call(rank, sum));
  const auto with_budget = [&](std::uint64_t budget) {
    EngineOptions options;
    options.message_budget = budget;
    return run(program, EngineKind::flow, platform, options);
  };
  const Records exact = with_budget(480);  // 2 rounds x 15 steps x 16 ranks
  CHECK(exact.fidelity == Fidelity::exact);
  CHECK(exact.messages == 480);
  const Records some = with_budget(479);
  CHECK(some.fidelity == Fidelity::segments);
  CHECK(some.messages == 448);  // 14 segments
  const Records few = with_budget(100);
  CHECK(few.messages == 96);
  const Records least = with_budget(1);
  CHECK(least.fidelity == Fidelity::collapsed);
  CHECK(least.messages == 32);
  for (const Records& records : {some, few, least}) {
    CHECK(records.makespan.value() == Approx(exact.makespan.value()).epsilon(1e-9));
    CHECK(records.activities[3].bytes == exact.activities[3].bytes);
    for (std::size_t link = 0; link < records.links.size(); ++link) {
      CHECK(records.links[link].bytes.value() == Approx(exact.links[link].bytes.value()).epsilon(1e-12));
    }
  }
}

TEST_CASE("a program with short and long collectives says that fidelity is mixed") {
  Program program(8);
  const CollectiveId small = add_ring(program, {0, 1}, 1e6);  // one step per round: exact whatever is asked for
  const CollectiveId large = add_ring(program, {2, 3, 4, 5, 6, 7}, 1e6);
  for (std::size_t rank = 0; rank < 8; ++rank) program.add(call(rank, rank < 2 ? small : large));
  EngineOptions options;
  options.fidelity = FidelityChoice::collapsed;
  CHECK(run(program, EngineKind::flow, star(8, {1e9, 0.0}), options).fidelity == Fidelity::mixed);
}

TEST_CASE("a background flow disturbs exact and segmented rings alike within two percent") {
  const Platform platform = star(16, {1e9, 1e-6});
  Program program(18);
  std::vector<std::size_t> ring(16);
  for (std::size_t rank = 0; rank < 16; ++rank) ring[rank] = rank;
  const CollectiveId sum = add_ring(program, ring, 16e6);
  for (const std::size_t rank : ring) program.add(call(rank, sum));
  program.add(send(16, 17, 4e6));
  program.add(receive(17, 16));
  std::vector<DeviceId> hosts = all_hosts(platform);
  hosts.emplace_back(3);  // the other job sends along one edge of the ring
  hosts.emplace_back(4);
  const auto time = [&](FidelityChoice fidelity) {
    EngineOptions options;
    options.fidelity = fidelity;
    return run_program(program, *make_kernel(EngineKind::flow, platform), hosts, options).makespan.value();
  };
  const double alone = 2.0 * 15.0 * (1e-6 + 1e-3);
  CHECK(time(FidelityChoice::exact) > alone * 1.05);
  CHECK(time(FidelityChoice::segments) == Approx(time(FidelityChoice::exact)).epsilon(0.02));
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
  CHECK(test::in_fresh_process(fingerprint) == test::in_fresh_process(fingerprint));
}

}  // namespace orrery
