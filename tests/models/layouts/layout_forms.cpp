// Pipelines, obstacles, blocks and properties of layouts.
#include <functional>

#include "models/layouts/blocks.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

using namespace testing;

/// A network of equal blocks without embedding or head would not be one: so the repeated block dominates.
TrainingJob free_transfers(std::int64_t batch, int devices) {
  TrainingJob job = megatron_job({48, 1024, 16}, batch, devices, "ideal");
  job.network_law.bus_GBps = Ranged(1e12);
  job.node_law.bus_GBps = Ranged(1e12);
  return job;
}

Layout pipeline(int pp, int interleave = 1, PipelineSchedule schedule = PipelineSchedule::one_f_one_b) {
  Layout layout;
  layout.pp = pp, layout.interleave = interleave, layout.schedule = schedule;
  return layout;
}

/// Of passes, launches included; without what the host takes once a step.
Seconds busy(const StepPrediction& step, const TrainingJob& job) {
  return step.parts.compute + step.parts.recompute + step.parts.gaps -
         Seconds(job.framework.host_iteration_ms.value * 1e-3);
}

TEST_CASE(
    "Bubbles: 1F1B (p - 1) stages, interleaved a v-th of it, ZB-H1 at most that less twice the weights' gradients") {
  const TrainingJob job = free_transfers(64, 8);
  LayoutJudge judge(job);
  const LayoutPrices prices = judge.prices(pipeline(8));
  Seconds sum, most, weights;
  std::size_t slowest = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const ChunkPrice& chunk = prices.stages[i].chunks[0];
    const Seconds both = chunk.forward + chunk.backward_input + chunk.backward_weights;
    sum += both;
    if (both > most) most = both, slowest = i;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i != slowest) weights += prices.stages[i].chunks[0].backward_weights;
  }
  CHECK(prices.stages.front().layers == "embedding to embedding_drop, 6 x block");
  CHECK(prices.stages[3].layers == "6 x block");
  CHECK(prices.stages.back().layers == "6 x block, norm to loss");
  const StepPrediction plain = judge.predict(pipeline(8));
  CHECK(plain.microbatches == 64);
  CHECK(busy(plain, job).value() == Approx(64 * most.value()));
  CHECK(plain.parts.bubble.value() == Approx((sum - most).value()));
  const StepPrediction zero = judge.predict(pipeline(8, 1, PipelineSchedule::zero_bubble));
  // With the head on the last stage the others fill more of it; of equal stages it is that (hybrid_steps.cpp).
  CHECK(zero.parts.bubble < sum - most - weights * 2.0);
  CHECK(zero.parts.bubble > (sum - most - weights * 2.0) * 0.5);
  const StepPrediction interleaved = judge.predict(pipeline(8, 3));
  CHECK(interleaved.parts.bubble.value() == Approx((sum - most).value() / 3).epsilon(0.2));  // other chunks
  CHECK(judge.predict(pipeline(8, 1, PipelineSchedule::gpipe)).time() >= plain.time() * (1 - 1e-12));
}

TEST_CASE("Messages that nobody waits for show where computing is shorter") {
  TrainingJob job = megatron_job({16, 1024, 16}, 64, 64, "modern");
  Layout layout = pipeline(8);
  layout.order = {Dimension::tp, Dimension::cp, Dimension::dp, Dimension::pp};
  layout.dp = 8;
  job.network_law.bus_GBps.value = 0.01;
  const LayoutPrices prices = LayoutJudge(job).prices(layout);
  const StepPrediction slow = LayoutJudge(job).predict(layout);
  const StepParts& parts = slow.parts;
  const Seconds each = busy(slow, job) / 8.0;  // micro-batches
  // There and back once; then a stage sends two messages, one after the other, in the place of what it computes. A port
  // that two neighbours send to adds to that.
  const Seconds sent = prices.transfers.front() * 14.0 + (prices.transfers.front() * 2.0 - each) * 7.0;
  CHECK(parts.exposed_pp > sent + prices.tied_exchange.time);
  CHECK(parts.exposed_pp < sent * 1.2 + prices.tied_exchange.time);
}

TEST_CASE("Blocks of a transformer: embedding, equal blocks, head") {
  const LayerGraph graph = megatron_graph({12, 256, 4});
  const BlockSequence sequence = blocks_of(graph);
  CHECK(sequence.classes.size() == 3);
  CHECK(sequence.repeats == 12);
  CHECK(dealt_blocks(sequence) == 12);
  const std::vector<double> equal(sequence.blocks.size(), 1.0);
  CHECK(deal_blocks(sequence, 4, equal) == std::vector<std::size_t>{0, 4, 7, 10, 14});
  CHECK(deal_blocks(sequence, 5, equal) == std::vector<std::size_t>{0, 3, 6, 9, 11, 14});         // the ends have two
  CHECK(deal_blocks(sequence, 7, equal) == std::vector<std::size_t>{0, 2, 4, 6, 8, 10, 12, 14});  // the ends have one
  CHECK(deal_blocks(sequence, 14, equal)[1] == 1);                                                // the embedding alone
  CHECK(deal_blocks(sequence, 1, equal) == std::vector<std::size_t>{0, 14});
}

TEST_CASE("A network without repeated blocks is cut so that the heaviest part is lightest") {
  BlockSequence sequence;
  for (std::size_t i = 0; i < 5; ++i) sequence.blocks.push_back({i, i + 1, i});
  sequence.repeats = 1;
  CHECK(deal_blocks(sequence, 2, {5, 1, 1, 1, 2}) == std::vector<std::size_t>{0, 1, 5});
  CHECK(deal_blocks(sequence, 3, {1, 1, 1, 1, 1}) == std::vector<std::size_t>{0, 2, 4, 5});
  CHECK(deal_blocks(sequence, 5, {9, 1, 1, 1, 1}) == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("Blocks are cut by time so that no other cut has a faster slowest chunk") {
  const auto runs_of = [](const std::vector<double>& pace, const std::vector<double>& blocks) {
    return [pace, blocks](std::size_t chunk, std::size_t first, std::size_t end) {
      double sum = 0;
      for (std::size_t i = first; i < end; ++i) sum += blocks[i];
      return sum * pace[chunk];
    };
  };
  // The slow chunk keeps a light block, although the fast one before it could take both.
  CHECK(deal_blocks_by_time(3, 3, runs_of({1, 10, 1}, {1, 1, 10})) == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(deal_blocks_by_time(3, 4, runs_of({1, 10, 1}, {1, 1, 1, 10})) == std::vector<std::size_t>{0, 2, 3, 4});
  CHECK(deal_blocks_by_time(2, 6, runs_of({1, 2}, {1, 1, 1, 1, 1, 1})) == std::vector<std::size_t>{0, 4, 6});
  CHECK(deal_blocks_by_time(2, 3, runs_of({1, 1}, {1, 1, 1})) == std::vector<std::size_t>{0, 2, 3});
  for (const std::vector<double>& blocks : {std::vector<double>{3, 1, 4, 1, 5, 9, 2}, {1, 1, 1, 1, 1, 1, 10}}) {
    for (const std::vector<double>& pace : {std::vector<double>{1, 3, 1}, {2.4, 1, 1}, {1, 1, 2.4}, {5, 1, 5}}) {
      const auto run = runs_of(pace, blocks);
      const std::vector<std::size_t> starts = deal_blocks_by_time(3, 7, run);
      const double found = std::max({run(0, 0, starts[1]), run(1, starts[1], starts[2]), run(2, starts[2], 7)});
      double best = 1e300;
      for (std::size_t a = 1; a < 6; ++a) {
        for (std::size_t b = a + 1; b < 7; ++b)
          best = std::min(best, std::max({run(0, 0, a), run(1, a, b), run(2, b, 7)}));
      }
      CHECK(found == Approx(best));
    }
  }
}

TEST_CASE("What a layout breaks is told with the nearest that would do") {
  const TrainingJob job = megatron_job(megatron_175b, 1536, 64);
  const LayoutJudge judge(job);
  Layout layout;
  layout.tp = 10, layout.pp = 8, layout.dp = 1, layout.interleave = 5;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{
            "dp 1 x tp 10 x pp 8 x cp 1 = 80 devices, but the cluster has 64 - use tp x pp x cp up to 64",
            "tp 10 does not divide the 96 heads of megatron - use tp 8",
            "pp 8 x interleave 5 = 40 chunks do not divide the 96 blocks of megatron - use interleave 4 or 6, or "
            "chunks uneven"});
  layout = {};
  layout.dp = 7, layout.cp = 3, layout.ep = 2, layout.zero_stage = 4;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{
            "dp 7 x micro-batch 1 = 7 samples do not divide the batch of 1536 - use dp x micro-batch = 6 or 8",
            "cp 3 does not divide the 2048 tokens of a sample - use cp 2 or 4",
            "ep 2: megatron has no experts - use ep 1", "zero_stage 4 is not a stage - use 0, 1, 2 or 3"});
  layout = {};
  layout.pp = 128;
  CHECK(judge.obstacles(layout).back() == "pp 128 x interleave 1 = 128 chunks, but megatron has 96 blocks - use pp 64");
  layout = {};
  layout.pp = 8, layout.interleave = 3, layout.dp = 1, layout.microbatch = 512;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"interleaving needs micro-batches in multiples of pp 8, there are 3 - use dp x "
                                 "micro-batch = 192, or interleave 1"});
  TrainingJob odd = job;
  odd.batch = 1532;
  layout.microbatch = 4;
  CHECK(LayoutJudge(odd).obstacles(layout) ==
        std::vector<std::string>{"interleaving needs micro-batches in multiples of pp 8, there are 383 - use "
                                 "interleave 1, or a batch in multiples of 32"});
}

TEST_CASE("context parallelism splits sequences alone") {
  TrainingJob job = megatron_job(megatron_22b, 64, 8);
  job.network.sample = "image";
  Layout layout;
  layout.cp = 2, layout.dp = 4;
  CHECK(LayoutJudge(job).obstacles(layout) ==
        std::vector<std::string>{"cp 2 splits sequences, which megatron does not read - use cp 1"});
}

TEST_CASE("A format that the device has not, or that nobody trains in, is an obstacle") {
  TrainingJob job = megatron_job(megatron_22b, 8, 8);
  job.precision = Precision::fp8;
  CHECK(LayoutJudge(job).obstacles({}) == std::vector<std::string>{"a100-sxm-80 has no fp8 products - use bf16"});
  job.cluster.device = *shipped_catalogue().device("v100-sxm2-32");  // nor bf16
  CHECK(LayoutJudge(job).obstacles({}) == std::vector<std::string>{"v100-sxm2-32 has no fp8 products - use fp16"});
  job.precision = Precision::int8;
  CHECK(LayoutJudge(job).obstacles({}) == std::vector<std::string>{"int8 is no format to train in - use bf16 or fp8"});
}

TEST_CASE("Memory obstacles name what does not fit") {
  const TrainingJob job = megatron_job(megatron_175b, 1536, 64);
  LayoutJudge judge(job);
  Layout layout;
  layout.tp = 8, layout.pp = 8;
  CHECK(judge.memory_obstacle(judge.memory(layout)).starts_with("does not fit: 1"));
  layout.pp = 1;
  CHECK(judge.memory_obstacle(judge.memory(layout)).starts_with("does not fit: optimizer state "));
  layout.pp = 8, layout.recompute = Recompute::full, layout.interleave = 3;
  CHECK(judge.memory_obstacle(judge.memory(layout)).empty());
}

TEST_CASE("Parts add up, and faster wires, lower latency and more micro-batches never slow a layout") {
  Random random(7);
  for (int i = 0; i < 40; ++i) {
    Layout layout;
    layout.tp = 1 << random.below(4), layout.pp = 1 << random.below(4), layout.dp = 1 << random.below(4);
    layout.recompute = static_cast<Recompute>(random.below(3));
    layout.zero_stage = static_cast<int>(random.below(4));
    layout.sequence_parallel = random.below(2) == 0 ? SequenceParallel::off : SequenceParallel::on;
    TrainingJob job = megatron_job({48, 2048, 16}, 512, 512, i % 2 == 0 ? "megatron-2021" : "modern");
    const auto time = [&](const TrainingJob& other) { return LayoutJudge(other).predict(layout).time(); };
    const StepPrediction before = LayoutJudge(job).predict(layout);
    const StepParts& parts = before.parts;
    for (const Seconds part : {parts.compute, parts.recompute, parts.optimizer, parts.gaps, parts.exposed_dp,
                               parts.exposed_tp, parts.exposed_pp, parts.bubble, parts.straggler}) {
      CHECK(part >= Seconds(0));
    }
    const auto improved = [&](const std::function<void(TrainingJob&)>& change) {
      TrainingJob better = job;
      change(better);
      return time(better);
    };
    const Seconds at_most = before.time() * (1 + 1e-12);  // where the host sets the pace, parts add up to the same
    CHECK(improved([](TrainingJob& better) { better.network_law.bus_GBps.value *= 2; }) <= at_most);
    CHECK(improved([](TrainingJob& better) { better.node_law.bus_GBps.value *= 2; }) <= at_most);
    CHECK(improved([](TrainingJob& better) { better.network_law.hop_us.value /= 2; }) <= at_most);
    CHECK(improved([](TrainingJob& better) { better.framework.transfer_latency_us.value = 0; }) <= at_most);
    // Twice the samples cost less than twice the time: the bubble and the exchange are paid once.
    CHECK(improved([](TrainingJob& better) { better.batch *= 2; }) <= before.time() * 2.0 * (1 + 1e-9));
  }
}

TEST_CASE("Sharding states divides them, and only them") {
  const TrainingJob job = megatron_job({24, 2048, 16}, 512, 64, "modern");
  LayoutJudge judge(job);
  Layout layout;
  layout.dp = 64, layout.microbatch = 1;
  const auto states = [&](int stage) {
    layout.zero_stage = stage;
    return judge.memory(layout).states;
  };
  const MemoryEstimate none = states(0), one = states(1), two = states(2), three = states(3);
  CHECK(one.optimizer.value() == Approx(none.optimizer.value() / 64));
  CHECK(one.gradients == none.gradients);
  CHECK(two.gradients.value() == Approx(none.gradients.value() / 64));
  CHECK(two.weights == none.weights);
  CHECK(three.weights.value() == Approx(none.weights.value() / 64));
  CHECK(three.activations == none.activations);
}

}  // namespace
}  // namespace orrery
