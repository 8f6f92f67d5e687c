// Pipelines whose chunks do not divide the blocks.
#include <algorithm>
#include <numeric>

#include "models/layouts/blocks.hpp"
#include "models/layouts/schedules.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using namespace testing;

Layout uneven(int pp, int interleave) {
  Layout layout = pipeline(pp, interleave);
  layout.chunks = Chunks::uneven;
  return layout;
}

/// Three dense blocks, then ones with eight experts; a small head.
TrainingJob mixture_job(std::int64_t blocks, std::int64_t batch, int devices) {
  TrainingJob job = megatron_job({4, 1024, 16}, batch, devices, "modern");
  TransformerShape shape;
  shape.name = "mixture";
  shape.layers = blocks, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = 4096, shape.tokens = 2048;
  shape.experts = 8, shape.experts_per_token = 2, shape.expert_ffn = 2048, shape.dense_layers = 3;
  job.network = transformer_graph(shape);
  return job;
}

}  // namespace

TEST_CASE("blocks are dealt by their weight, stages before chunks") {
  CHECK(deal_blocks_by_weight(2, 2, {1, 1, 1, 1, 1}) == std::vector<std::size_t>{0, 3, 5});
  CHECK(deal_blocks_by_weight(3, 3, {9, 1, 1}) == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(deal_blocks_by_weight(2, 2, {0.1, 1, 1, 1.9}) == std::vector<std::size_t>{0, 3, 4});
  CHECK(deal_blocks_by_weight(3, 3, {1, 1, 9}) == std::vector<std::size_t>{0, 1, 2, 3});  // none is left without
  CHECK(deal_blocks_by_weight(1, 1, {1, 2}) == std::vector<std::size_t>{0, 2});
  // Two stages of two chunks, 7 blocks: chunks of 2, 2, 2, 1 make stages of 4 and 3.
  const std::vector<std::size_t> seven = deal_blocks_by_weight(4, 2, std::vector<double>(7, 1.0));
  CHECK(std::max(seven[1] - seven[0] + seven[3] - seven[2], seven[2] - seven[1] + seven[4] - seven[3]) == 4);
  // A head of two blocks stands alone, its stage's first chunk has two.
  CHECK(deal_blocks_by_weight(4, 2, {1, 1, 1, 1, 1, 1, 2}) == std::vector<std::size_t>{0, 2, 4, 6, 7});
}

TEST_CASE("every chunk has a block, and of equal ones no stage, and no pace of rounds, a whole one above its share") {
  for (std::size_t blocks = 1; blocks <= 40; ++blocks) {
    const std::vector<double> weights(blocks, 1.0);
    for (std::size_t stages = 1; stages <= std::min<std::size_t>(blocks, 8); ++stages) {
      for (std::size_t chunks = stages; chunks <= blocks; chunks += stages) {
        const std::vector<std::size_t> starts = deal_blocks_by_weight(chunks, stages, weights);
        INFO(blocks << " blocks, " << chunks << " chunks, " << stages << " stages");
        REQUIRE(starts.size() == chunks + 1);
        CHECK(starts.back() == blocks);
        CHECK(std::adjacent_find(starts.begin(), starts.end(), std::greater_equal<>()) == starts.end());
        std::vector<std::size_t> of_stage(stages), of_round(chunks / stages);
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
          const std::size_t count = starts[chunk + 1] - starts[chunk];
          of_stage[chunk % stages] += count;
          of_round[chunk / stages] = std::max(of_round[chunk / stages], count);
        }
        const std::size_t share = (blocks + stages - 1) / stages;
        CHECK(*std::max_element(of_stage.begin(), of_stage.end()) == share);
        CHECK(std::accumulate(of_round.begin(), of_round.end(), std::size_t{0}) == share);
      }
    }
  }
}

TEST_CASE("equal chunks count the few blocks that are unlike the others, too") {
  // 61 blocks, the first three of them dense: 3 or 4 each, the embedding with the first, the head with the last.
  const BlockSequence sequence = blocks_of(mixture_job(61, 64, 16).network);
  CHECK(dealt_blocks(sequence) == 61);
  const std::vector<std::size_t> starts = deal_blocks(sequence, 16, std::vector<double>(sequence.blocks.size(), 1.0));
  CHECK(starts[1] == 1 + 3);
  for (std::size_t chunk = 1; chunk < 14; ++chunk) CHECK(starts[chunk + 1] - starts[chunk] == 4);
  CHECK(starts[16] - starts[15] == 3 + 1);
}

TEST_CASE("chunks that do not divide the blocks are an obstacle, unless they may be uneven") {
  const LayoutJudge judge(mixture_job(61, 64, 16));
  CHECK(judge.obstacles(pipeline(4, 4)) ==
        std::vector<std::string>{"pp 4 x interleave 4 = 16 chunks do not divide the 61 blocks of mixture - use "
                                 "interleave 1, or chunks uneven"});
  CHECK(judge.obstacles(uneven(4, 4)).empty());
  CHECK(judge.obstacles(uneven(8, 1)).empty());
  CHECK(judge.obstacles(uneven(8, 8)) ==
        std::vector<std::string>{"pp 8 x interleave 8 = 64 chunks, but mixture has 63 blocks with its ends - use "
                                 "interleave 7"});
  CHECK(to_text(uneven(4, 4)) == "tp1 pp4 dp1 b1 v4 uneven");
}

TEST_CASE("dense blocks and the head count for what they cost: no stage works much longer than the mean") {
  LayoutJudge judge(mixture_job(61, 64, 16));
  for (const auto& [pp, interleave] : {std::pair{4, 4}, {8, 2}, {4, 8}, {2, 7}, {8, 1}}) {
    const LayoutPrices prices = judge.prices(uneven(pp, interleave));
    Seconds sum, most, block;
    for (const StagePrice& stage : prices.stages) {
      Seconds work;
      for (const ChunkPrice& chunk : stage.chunks) work += chunk.forward_time() + chunk.backward_time();
      sum += work, most = std::max(most, work);
    }
    const LayoutPrices of_two_blocks = judge.prices(uneven(4, 8));
    for (const ChunkPrice& chunk : of_two_blocks.stages[1].chunks) {
      block = std::max(block, (chunk.forward_time() + chunk.backward_time()) / 2.0);
    }
    INFO(pp << " x " << interleave);
    INFO(most.value() << " " << (sum / pp).value() << " " << block.value());
    CHECK(most <= sum / pp + block);
  }
}

TEST_CASE("a judge that has seen as many uneven chunks on other stages judges as a fresh one") {
  const TrainingJob job = mixture_job(61, 64, 32);
  LayoutJudge seasoned(job);
  for (const auto& [pp, interleave, dp] : {std::tuple{4, 4, 8}, {8, 2, 4}, {2, 8, 16}, {16, 1, 2}}) {
    Layout layout = uneven(pp, interleave);
    layout.dp = dp;
    REQUIRE(seasoned.obstacles(layout).empty());
    INFO(to_text(layout));
    CHECK(seasoned.predict(layout).time() == LayoutJudge(job).predict(layout).time());
    CHECK(seasoned.memory(layout).peak() == LayoutJudge(job).memory(layout).peak());
  }
}

TEST_CASE("of chunks that may be unequal a stage keeps what its order of tasks leaves, at most") {
  const auto kept = [](const Layout& layout, std::int64_t batch) {
    TrainingJob job = megatron_job({4, 1024, 16}, batch, 4, "modern");
    TransformerShape shape;
    shape.name = "equal", shape.layers = 16, shape.hidden = 1024, shape.heads = 16, shape.tokens = 2048;
    shape.vocabulary = 16;
    job.network = transformer_graph(shape);
    return LayoutJudge(job).memory(layout).states.activations.value();
  };
  // Two stages of four chunks. Two micro-batches: all forward, then all backward, eight passes. More: the first stage
  // warms up with eight and does one more before the first backward; from then on every round is as the one before.
  CHECK(kept(uneven(2, 4), 64) == Approx(kept(uneven(2, 4), 2) * 9 / 8).epsilon(0.01));
  CHECK(kept(uneven(2, 4), 64) == kept(uneven(2, 4), 6));
  // Where chunks are equal: the passes of the warm-up and one, spread evenly.
  CHECK(kept(uneven(4, 4), 64) == Approx(kept(pipeline(4, 4), 64)).epsilon(0.02));
  CHECK(kept(uneven(2, 4), 64) == Approx(kept(pipeline(2, 4), 64)).epsilon(0.02));
  CHECK(kept(uneven(4, 1), 64) == Approx(kept(pipeline(4, 1), 64)).epsilon(0.02));
}

TEST_CASE("where chunks divide the blocks, uneven ones are as good, and better where the head is as long as blocks") {
  for (const std::int64_t hidden : {1024, 6144}) {
    LayoutJudge judge(megatron_job({48, hidden, 16}, 64, 8, "modern"));
    for (const auto& [pp, interleave] : {std::pair{8, 3}, {4, 4}, {8, 1}}) {
      INFO(hidden << ", " << pp << " x " << interleave);
      CHECK(judge.predict(uneven(pp, interleave)).time() <= judge.predict(pipeline(pp, interleave)).time() * 1.01);
    }
  }
}

}  // namespace orrery
