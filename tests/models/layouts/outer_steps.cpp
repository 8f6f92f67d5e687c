// Islands of replicas with outer steps between them (DiLoCo).
#include <cmath>

#include "models/layouts/block_price.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

/// GPT of 1.3 billion parameters on nodes of eight A100.
TrainingJob gpt_on(int devices) {
  return megatron_job({24, 2048, 16}, 8 * devices, devices, "modern");
}

Layout replicas(int count) {
  Layout layout;
  layout.dp = count;
  layout.recompute = Recompute::selective;
  return layout;
}

Layout islands_of(int islands, int every, int count = 32) {
  Layout layout = replicas(count);
  layout.outer.islands = islands, layout.outer.every = every;
  return layout;
}

double parameters_of(LayoutJudge& judge, const Layout& layout) {
  return judge.prices(layout).stages[0].chunks[0].parameters;
}

}  // namespace

TEST_CASE("between islands every rank sums its part with its likes, and gathers the others in its node, by hand") {
  const TrainingJob job = gpt_on(32);
  LayoutJudge judge(job);
  const Layout layout = islands_of(4, 100);
  const LayoutPrices prices = judge.prices(layout);
  const double bytes = 4 * parameters_of(judge, layout);
  // Of an all-reduce over four nodes a rank sends 2 x 3/4, of a gathering by eight 7/8.
  const double across = 2 * 3 / 4.0 * bytes / 8, inside = 7 / 8.0 * bytes;
  CHECK(prices.stages[0].outer.sent().network.value() * 100 == Approx(across));
  CHECK(prices.stages[0].outer.sent().node.value() * 100 == Approx(inside));
  // One after the other at the rates of the wires, and what the library needs to begin.
  const Paths paths = paths_of(job);
  const double wires = across / paths.network.bus.value() + inside / paths.node.bus.value();
  CHECK(prices.outer.time().value() * 100 > wires);
  CHECK(prices.outer.time().value() * 100 == Approx(wires).epsilon(0.05));
  const StepParts parts = judge.predict(layout).parts;
  CHECK(parts.exposed_outer == prices.outer.time());
  CHECK(parts.total() > parts.exposed_outer);
}

TEST_CASE("islands of shared states sum their shards, ZeRO-3 gathers them with the next pass alone") {
  const TrainingJob job = gpt_on(32);
  LayoutJudge judge(job);
  const auto sent = [&](int stage, int group) {
    Layout layout = islands_of(4, 1);
    layout.zero_stage = stage, layout.zero_group = group;
    return judge.prices(layout).stages[0].outer.sent();
  };
  const double numbers = parameters_of(judge, islands_of(4, 1));
  const double across = 2 * 3 / 4.0 * numbers / 8 * 4;
  // Half-precision parameters gathered; by groups of four, two of which hold the same: their differences first.
  CHECK(sent(1, 0).network.value() == Approx(across));
  CHECK(sent(1, 0).node.value() == Approx(7 / 8.0 * numbers * 2));
  CHECK(sent(1, 4).network.value() == Approx(across));
  CHECK(sent(1, 4).node.value() == Approx(1 / 2.0 * numbers / 4 * 4 + 3 / 4.0 * numbers * 2));
  CHECK(sent(3, 0).network.value() == Approx(across));
  CHECK(sent(3, 0).node.value() == 0);
}

TEST_CASE("what islands sum and what they gather are told apart") {
  LayoutJudge judge(gpt_on(32));
  const auto outer = [&](int stage, int group) {
    Layout layout = islands_of(4, 1);
    layout.zero_stage = stage, layout.zero_group = group;
    return judge.prices(layout).outer;
  };
  for (const OuterExchange& each : {outer(0, 0), outer(1, 0), outer(1, 4), outer(3, 0)}) {
    CHECK(each.across.sent.network > Bytes());
    CHECK(each.across.sent.node == Bytes());
    CHECK(each.states.sent.network + each.shards.sent.network == Bytes());
  }
  // Without ZeRO all of the island hold the same; a group of four holds a shard that the other one holds, too.
  CHECK(outer(0, 0).states.sent.node > Bytes());
  CHECK(outer(0, 0).shards.time == Seconds());
  CHECK(outer(1, 0).shards.time == Seconds());
  const double numbers = parameters_of(judge, islands_of(4, 1));
  CHECK(outer(1, 4).shards.sent.node.value() == Approx(1 / 2.0 * numbers / 4 * 4));
  CHECK(outer(1, 4).states.sent.node.value() == Approx(3 / 4.0 * numbers * 2));
  CHECK(outer(3, 0).states.time == Seconds());
}

TEST_CASE("differences in half the bytes and fewer outer steps send so much less, and take less time") {
  LayoutJudge judge(gpt_on(32));
  const auto network = [&](const Layout& layout) {
    return judge.prices(layout).stages[0].outer.sent().network.value();
  };
  Layout half = islands_of(4, 1);
  half.outer.format = Precision::bf16;
  CHECK(network(islands_of(4, 1)) == Approx(2 * network(half)));
  CHECK(network(islands_of(4, 1)) == Approx(500 * network(islands_of(4, 500))));
  double before = 1e300;
  for (const int every : {1, 5, 50, 500}) {
    const double time = judge.predict(islands_of(4, every)).time().value();
    CHECK(time < before);
    before = time;
  }
}

TEST_CASE("an island steps as a job of its size does, and beside that takes its part of outer steps") {
  LayoutJudge judge(gpt_on(32)), half(gpt_on(16));
  const int stage = GENERATE(0, 1, 3);
  Layout islands = islands_of(2, 50), alone = replicas(16);
  islands.zero_stage = alone.zero_stage = stage;
  const StepPrediction together = judge.predict(islands), island = half.predict(alone);
  CHECK(together.parts.compute == island.parts.compute);
  CHECK(together.parts.exposed_dp.value() == Approx(island.parts.exposed_dp.value()));
  // Sixteen replicas wait in every step, two islands in every fiftieth.
  const double late = 1 + 1 / std::sqrt(50.) / 4;
  CHECK(together.parts.straggler.value() == Approx(island.parts.straggler.value() * late).epsilon(1e-3));
  const double sent = together.sent_per_device.value() - island.sent_per_device.value();
  CHECK(sent == Approx(judge.prices(islands).stages[0].outer.sent().total().value()));
  // Nine numbers of four bytes per parameter move through the memory once in 50 steps.
  const TrainingJob& job = judge.job();
  const double bandwidth = job.cluster.device.memory_bandwidth.value() * job.device_law.memory_share.value;
  const double share = parameters_of(judge, islands) / (stage == 0 ? 1 : 16);
  CHECK((together.parts.optimizer - island.parts.optimizer).value() == Approx(36 * share / bandwidth / 50));
}

TEST_CASE("shared parameters and momentum take eight bytes per parameter of a share, none when the host has them") {
  LayoutJudge judge(gpt_on(32)), half(gpt_on(16));
  const int stage = GENERATE(0, 1);
  Layout islands = islands_of(2, 500), alone = replicas(16);
  islands.zero_stage = alone.zero_stage = stage;
  const double share = parameters_of(judge, islands) / (stage == 0 ? 1 : 16);
  const LayoutMemory with = judge.memory(islands), without = half.memory(alone);
  CHECK((with.states.optimizer - without.states.optimizer).value() == Approx(8 * share));
  CHECK(with.states.weights == without.states.weights);
  CHECK(with.states.gradients == without.states.gradients);
  islands.offload = Offload::optimizer;
  CHECK(judge.memory(islands).states.optimizer == Bytes());
}

TEST_CASE("one island is a synchronous job, whatever the interval") {
  LayoutJudge judge(gpt_on(32));
  const StepPrediction step = judge.predict(islands_of(1, 7)), plain = judge.predict(replicas(32));
  CHECK(step.time() == plain.time());
  CHECK(step.sent_per_device == plain.sent_per_device);
  CHECK(to_text(islands_of(1, 7)) == to_text(replicas(32)));
  CHECK(to_text(islands_of(4, 7)) == to_text(replicas(32)) + " islands4 outer7");
}

TEST_CASE("islands on the first of several groups of nodes are what they are without the others") {
  const TrainingJob alone = gpt_on(16);
  TrainingJob mixed = alone;
  mixed.cluster.more.push_back(mixed.cluster);
  mixed.more_laws.push_back(mixed);
  Layout layout = islands_of(2, 10, 16);
  layout.zero_stage = GENERATE(0, 1, 2, 3);
  LayoutJudge one(alone), several(mixed);
  const StepPrediction expected = one.predict(layout), step = several.predict(layout);
  CHECK(step.parts.exposed_outer > Seconds());
  CHECK(step.parts.exposed_outer == expected.parts.exposed_outer);
  CHECK(step.time().value() == Approx(expected.time().value()).epsilon(1e-12));
  CHECK(step.sent_per_device.value() == Approx(expected.sent_per_device.value()).epsilon(1e-12));
  CHECK(step.memory.peak() == expected.memory.peak());
  CHECK(several.prices(layout).outer.time() == one.prices(layout).outer.time());
  CHECK(several.prices(layout).stages[0].outer.sent().total() == one.prices(layout).stages[0].outer.sent().total());
}

TEST_CASE("what islands cannot be is said with the nearest numbers") {
  const LayoutJudge judge(gpt_on(32));
  using Told = std::vector<std::string>;
  CHECK(judge.obstacles(islands_of(4, 10)) == Told{});
  CHECK(judge.obstacles(islands_of(5, 10)) == Told{"5 islands do not divide dp 32 - use 4 or 8"});
  CHECK(judge.obstacles(islands_of(9, 10, 8)) == Told{"9 islands do not divide dp 8 - use 8"});
  CHECK(judge.obstacles(islands_of(2, 10, 1)) == Told{"2 islands do not divide dp 1 - leave outer out"});
  const LayoutJudge five(megatron_job({24, 2048, 16}, 40, 5, "modern"));
  CHECK(five.obstacles(islands_of(2, 10, 5)) == Told{"2 islands do not divide dp 5 - use 5, or leave outer out"});
  CHECK(judge.obstacles(islands_of(4, 0)) == Told{"every = 0 must be at least 1"});
  Layout sharded = islands_of(4, 10);
  sharded.zero_stage = 1, sharded.zero_group = 16;
  CHECK(judge.obstacles(sharded) == Told{"zero_group 16 does not divide 8 replicas of an island - use 8"});
  Layout parts = islands_of(4, 10, 16);
  parts.cp = 2;
  CHECK(judge.obstacles(parts) == Told{});
  parts.order = {Dimension::tp, Dimension::dp, Dimension::cp, Dimension::pp};
  CHECK(judge.obstacles(parts) ==
        Told{"islands are runs of whole replicas, but order numbers dp before cp - put cp first"});
  TrainingJob mixed = gpt_on(32);
  mixed.cluster.nodes = 2;
  mixed.cluster.more.push_back(mixed.cluster);
  mixed.more_laws.push_back(mixed);
  CHECK(LayoutJudge(mixed).obstacles(islands_of(4, 10)) ==
        Told{"islands are alike, but of these 32 devices 16 are in the first group of nodes - use no more, or leave "
             "outer out"});
  CHECK(LayoutJudge(mixed).obstacles(islands_of(2, 10, 16)) == Told{});
}

}  // namespace orrery
