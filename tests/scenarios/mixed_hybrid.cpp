// Layouts on devices of two kinds: programs by hand, simulations against their closed forms.
#include <numeric>

#include "scenarios/strategies/hybrid_step.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

StagePrice stage_of(double forward, double backward) {
  ChunkPrice chunk;
  chunk.forward = Seconds(forward), chunk.backward_input = Seconds(backward);
  StagePrice stage;
  stage.chunks = {chunk};
  return stage;
}

/// Two replicas of one device, the second half as fast: 1 and 2 seconds per micro-batch.
double makespan_of(std::int64_t first, std::int64_t second) {
  HybridOptions options;
  options.layout.dp = 2;
  LayoutPrices prices;
  prices.kinds = {{{stage_of(0.4, 0.6)}, {}, "fast"}, {{stage_of(0.8, 1.2)}, {}, "slow"}};
  prices.stages = prices.kinds[1].stages;
  prices.kind_of_replica = {0, 1};
  prices.microbatches_of_replica = {first, second};
  const HybridRanks ranks(options.layout, Folded::group);
  const FrameworkProfile framework;
  HybridStep step{options, prices, framework, ranks, 3, 1, {}, {}, {}};
  Program program(ranks.count());
  write_hybrid_step(step, program);
  REQUIRE(check(program) == std::vector<std::string>{});
  ClusterDescription description;
  description.nodes = 2;
  Link link;
  link.down = link.up = BytesPerSecond(1e30);
  description.network_link = link;
  const Cluster cluster = build_cluster(description);
  const auto kernel = make_closed_form_kernel(cluster.platform);
  return run_program(program, *kernel, {DeviceId(0), DeviceId(1)}, {}).makespan.value();
}

Scenario a100_and_v100(const std::string& keys) {
  return shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 192\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"modern\"\n[cluster]\n[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 2\n"
      "[[cluster.group]]\nsystem = \"dgx1-v100\"\nnodes = 2\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n"
      "recompute = \"selective\"\nsequence_parallel = true\n" +
      keys);
}

}  // namespace

TEST_CASE("six micro-batches on two replicas of speeds 2 : 1") {
  CHECK(makespan_of(3, 3) == Approx(6));  // three slow passes
  CHECK(makespan_of(4, 2) == Approx(4));  // two slow ones, or four fast ones
  CHECK(makespan_of(5, 1) == Approx(5));
}

TEST_CASE("a mixed layout simulated takes what its closed form says, within 1 %, 2 % where messages weigh") {
  const std::string keys =
      GENERATE(as<std::string>(), "tp = 8\nzero_stage = 1\n", "tp = 8\nzero_stage = 1\nbalance = \"speed\"\n",
               "tp = 8\npp = 4\n", "tp = 8\npp = 4\nbalance = \"speed\"\n", "tp = 4\npp = 2\nbalance = \"speed\"\n",
               "tp = 4\npp = 4\norder = [\"tp\", \"cp\", \"pp\", \"dp\"]\nbalance = \"speed\"\n");
  INFO(keys);
  const Scenario scenario = a100_and_v100(keys);
  const double tolerance = scenario.strategies[0].hybrid.layout.pp > 1 ? 0.02 : 0.01;
  CHECK(step_of(simulated(scenario)) == Approx(predicted(scenario)).epsilon(tolerance));
}

TEST_CASE("ranks that stand for others on mixed devices give the step of all, and count every device of its kind") {
  const std::string keys = GENERATE(as<std::string>(), "tp = 8\nbalance = \"speed\"\n", "tp = 8\npp = 2\n");
  const Way folded = simulated(a100_and_v100(keys));
  const Way all = simulated(a100_and_v100(keys + "fold = \"never\"\n"));
  CHECK(folded.placement.size() < all.placement.size());
  CHECK(folded.records.makespan.value() == Approx(all.records.makespan.value()).epsilon(1e-4));
  const auto on_a100 = [](const Way& way) {
    double devices = 0;
    for (std::size_t rank = 0; rank < way.placement.size(); ++rank) {
      if (way.devices[way.placement[rank].index()].id == "a100-sxm-80") devices += way.copies_of(RankId(rank));
    }
    return devices;
  };
  CHECK(on_a100(folded) == 16);
  CHECK(on_a100(all) == 16);
  CHECK(folded.devices_used() == 32);
}

TEST_CASE("what does not fit is said of the kind that it does not fit") {
  Scenario scenario = a100_and_v100("tp = 2\n");
  scenario.strategies[0].cluster.description.more[0].device.memory = Bytes(4 * gibi);
  const Way way = tried(scenario);
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error.find("GiB on each v100-sxm2-32 of 4.00 GiB") != std::string::npos);
}

TEST_CASE("a format that one kind has not is infeasible, with its name") {
  const Way way = tried(a100_and_v100("tp = 8\nprecision = \"bf16\"\n"));
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error == "v100-sxm2-32 has no bf16 products, a100-sxm-80 has - use fp16");
}

}  // namespace orrery
