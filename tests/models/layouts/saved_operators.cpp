// Recomputation that keeps fused attention and every second product of a block.
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
}

TEST_CASE("the block that is computed again by operators takes what of it was not kept") {
  TrainingJob job = gated_job("pytorch-fsdp");
  job.framework.whole_logits = Ranged(0);  // else the loss takes more
  Layout layout = by(Recompute::operators);
  layout.zero_stage = 1;
  const auto memory = [&](Recompute recompute) {
    layout.recompute = recompute;
    return LayoutJudge(job).memory(layout);
  };
  const LayoutMemory none = memory(Recompute::none), some = memory(Recompute::operators);
  CHECK(none.working == Bytes());
  const double left_with_loss = 2 * 2 * tokens * hidden;  // inputs of norm and head
  CHECK(some.working.value() ==
        Approx((none.states.activations - some.states.activations).value() / 4 - left_with_loss));
}

/// Four blocks of GPT: qkv is three products, then projection, up and down.
TEST_CASE("a block's last product that is not saved is computed again only where software does not stop before it") {
  TrainingJob job = megatron_job({4, 1024, 16}, 8, 8, "pytorch-fsdp");
  const auto recompute = [&](double early_stop) {
    job.framework.recompute_early_stop = Ranged(early_stop);
    return LayoutJudge(job).predict(by(Recompute::operators)).parts.recompute.value();
  };
  CHECK(saved_of(job, "block.1.down") == 0);
  const double down =
      [&] {
        for (const Layer& layer : job.network.layers) {
          if (layer.name == "block.1.down") return LayoutJudge(job).layer_prices(by(Recompute::none))[layer.id.index()];
        }
        return LayerPrice();
      }()
          .forward.value();
  CHECK(down > 0);
  CHECK(recompute(0) - recompute(1) > 4 * down);  // and the sum behind it
  CHECK(recompute(0) - recompute(1) < 4 * down * 1.5);
}

TEST_CASE("by operators tensor-parallel gathers and tokens' ways to experts go once more, sums are kept") {
  const auto prices = [](const TrainingJob& job, Layout layout, Recompute recompute) {
    layout.recompute = recompute;
    return LayoutJudge(job).prices(layout).stages[0].chunks[0];
  };
  Layout layout;
  layout.dp = 2, layout.tp = 4, layout.sequence_parallel = SequenceParallel::on;
  const TrainingJob gated = gated_job("pytorch-fsdp");
  const ChunkPrice part = prices(gated, layout, Recompute::operators), all = prices(gated, layout, Recompute::full);
  CHECK(part.tensor_recompute.value() == Approx(all.tensor_recompute.value() / 2));
  layout = {};
  layout.dp = 8, layout.ep = 8;
  const TrainingJob experts = experts_job(8, "pytorch-fsdp");
  CHECK(prices(experts, layout, Recompute::operators).expert_sent.recompute.total() ==
        prices(experts, layout, Recompute::full).expert_sent.recompute.total());
  CHECK(prices(experts, layout, Recompute::operators).expert_sent.recompute.total() > Bytes());
}

TEST_CASE(
    "by operators tensor-parallel ranks keep parts of sums whole, and with sequence parallelism what is scattered") {
  Layout layout = by(Recompute::operators);
  layout.dp = 2, layout.tp = 4, layout.zero_stage = 1;
  const TrainingJob job = gated_job("pytorch-fsdp");
  const auto saved = [&](SequenceParallel parallel) {
    layout.sequence_parallel = parallel;
    layout.recompute = Recompute::full;
    const Bytes entering = LayoutJudge(job).memory(layout).states.activations;
    layout.recompute = Recompute::operators;
    return (LayoutJudge(job).memory(layout).states.activations - entering).value();
  };
  const double split =
      (hidden + hidden * kv_heads / heads + hidden + ffn) / 4;  // queries, values, attention, half of up
  CHECK(saved(SequenceParallel::off) == Approx(4 * 2 * tokens * (split + hidden)));
  CHECK(saved(SequenceParallel::on) == Approx(4 * 2 * tokens * (split + hidden + 2 * hidden / 4)));
}

TEST_CASE("a pipeline's last stage keeps the logits of one micro-batch, however many passes it has open") {
  const TrainingJob job = megatron_job({8, 1024, 16}, 16, 8, "modern");
  const double gradient_bytes = GENERATE(0.0, 2.0);  // a compiled loss, Megatron-LM's
  const auto kept = [&](PipelineSchedule schedule, int interleave, std::int64_t classes) {
    TrainingJob with = job;
    with.framework.logit_gradient_bytes = Ranged(gradient_bytes);
    TransformerShape shape;
    shape.name = "gpt", shape.layers = 8, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = classes;
    shape.tokens = 2048, shape.tied = false;
    with.network = transformer_graph(shape);
    Layout layout;
    layout.dp = 2, layout.pp = 4, layout.schedule = schedule, layout.interleave = interleave;
    layout.recompute = Recompute::full;
    return LayoutJudge(with).memory(layout);
  };
  // So many classes that the last stage is the fullest: what 50,000 more of them add beside states.
  const auto added = [&](PipelineSchedule schedule, int interleave) {
    return (kept(schedule, interleave, 400000).states.activations -
            kept(schedule, interleave, 350000).states.activations)
               .value() /
           (2048.0 * 50000 * 4);
  };
  CHECK(added(PipelineSchedule::one_f_one_b, 1) == Approx(1).epsilon(0.01));
  CHECK(added(PipelineSchedule::one_f_one_b, 2) == Approx(1).epsilon(0.01));
  CHECK(added(PipelineSchedule::zero_bubble, 1) == Approx(1).epsilon(0.01));
  CHECK(added(PipelineSchedule::gpipe, 1) == Approx(8).epsilon(0.01));
}

TEST_CASE("logits are kept for tokens that reach the loss alone, and so are their gradients") {
  TrainingJob job = megatron_job({4, 1024, 16}, 8, 8, "pytorch-fsdp");
  const auto memory = [&](double head_tokens) {
    job.head_tokens = head_tokens;
    return LayoutJudge(job).memory(by(Recompute::none));
  };
  const LayoutMemory all = memory(1), some = memory(0.25);
  const double logits = 2048.0 * 51200;
  CHECK((all.states.activations - some.states.activations).value() == Approx(0.75 * 4 * logits));
  CHECK((all.working - some.working).value() == Approx(0.75 * 10 * logits));
}

TEST_CASE("shards of ZeRO-3 are the optimizer's where software casts as it gathers, in a pipeline weights are whole") {
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
