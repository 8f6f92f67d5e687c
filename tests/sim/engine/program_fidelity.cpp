// How finely collectives of a Program are carried out, and that it changes little.
#include <vector>

#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/small_programs.hpp"

namespace orrery::test {

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

}  // namespace orrery::test
