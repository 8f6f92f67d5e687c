// Recomputation that keeps fused attention and every second product of a block.
#include <numeric>

#include "models/layouts/selective_layers.hpp"
#include "models/layouts/step_prediction.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr double tokens = 2048, hidden = 1024, heads = 16, kv_heads = 4, ffn = 3584;

/// Four blocks as Llama's: queries of 16 heads, keys and values of 4, gates.
TrainingJob gated_job(const std::string& framework) {
  TrainingJob job = megatron_job({4, 1024, 16}, 8, 8, framework);
  TransformerShape shape;
  shape.name = "gated", shape.layers = 4, shape.hidden = 1024, shape.heads = 16, shape.kv_heads = 4, shape.ffn = 3584;
  shape.vocabulary = 51200, shape.tokens = 2048, shape.feedforward = Feedforward::swiglu;
  job.network = transformer_graph(shape);
  return job;
}

double saved_of(const TrainingJob& job, const std::string& name) {
  const std::vector<double> saved = saved_operators(job.network, job.framework);
  for (const Layer& layer : job.network.layers) {
    if (layer.name == name) return saved[layer.id.index()];
  }
  return -1;
}

Layout by(Recompute recompute) {
  Layout layout;
  layout.dp = 8, layout.zero_stage = 3, layout.recompute = recompute;
  return layout;
}

TEST_CASE("of a block's products the first, third, fifth and seventh are saved, and fused attention") {
  const TrainingJob job = gated_job("pytorch-fsdp");
  // Queries, (keys), values | (projection) | one half of up, (the other) | down.
  CHECK(saved_of(job, "block.1.qkv") == Approx((heads + kv_heads) / (heads + 2 * kv_heads)));
  CHECK(saved_of(job, "block.1.attention") == 1);
  CHECK(saved_of(job, "block.1.projection") == 0);
  CHECK(saved_of(job, "block.1.up") == 0.5);
  CHECK(saved_of(job, "block.1.swiglu") == 0);
  CHECK(saved_of(job, "block.1.down") == 1);
  CHECK(saved_of(job, "block.3.qkv") == saved_of(job, "block.1.qkv"));    // counted from the start of each block
  CHECK(saved_of(gated_job("megatron-2020"), "block.1.attention") == 0);  // scores are kept there, or nothing
}

TEST_CASE("a block by operators keeps what enters it and what is saved, and computes the rest again") {
  const TrainingJob job = gated_job("pytorch-fsdp");
  const auto predicted = [&](Recompute recompute) { return LayoutJudge(job).predict(by(recompute)); };
  const StepPrediction none = predicted(Recompute::none), some = predicted(Recompute::operators),
                       all = predicted(Recompute::full);
  const double queries = hidden, values = hidden * kv_heads / heads;
  const double saved = queries + values + hidden + ffn + hidden;  // and attention, half of up, down
  const auto kept = [](const StepPrediction& step) { return step.memory.states.activations.value(); };
  CHECK(kept(some) - kept(all) == Approx(4 * 2 * tokens * saved));
  CHECK(kept(some) < kept(none));
  // Keys, projection, the other half of up.
  const double products = 2 * tokens * hidden * (values + hidden + ffn);
  CHECK((some.hardware_flops - none.hardware_flops).value() == Approx(8 * 4 * products));
  CHECK(some.parts.recompute > Seconds());
  CHECK(some.parts.recompute < all.parts.recompute * 0.6);
  CHECK(some.memory.working >= none.memory.working);
}

TEST_CASE("shards of ZeRO-3 are the optimizer's where software casts as it gathers; in a pipeline weights are whole") {
  const TrainingJob fsdp = gated_job("pytorch-fsdp");
  TrainingJob other = fsdp;
  other.framework.shard_bytes = Ranged(2);
  const auto weights = [](const TrainingJob& job, int pp) {
    Layout layout = by(Recompute::none);
    layout.dp /= pp, layout.pp = pp;
    return LayoutJudge(job).memory(layout).states.weights.value();
  };
  const auto numbers = static_cast<double>(parameters(fsdp.network));
  CHECK(weights(fsdp, 1) == 0);
  CHECK(weights(other, 1) == Approx(2 * numbers / 8));
  CHECK(weights(fsdp, 2) == weights(other, 2));
  CHECK(weights(fsdp, 2) > numbers / 2);
}

}  // namespace
}  // namespace orrery
