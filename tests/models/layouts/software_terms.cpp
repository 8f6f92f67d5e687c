// What software adds to, and saves of, the passes of a step: recomputation that stops early or leaves every second
// block alone, kernels of the library beside those of the pass, generations of fused attention, products outside fp8
// and what tensor parallelism sends of those inside, products under the power limit.
#include "models/cost/operators.hpp"
#include "models/layouts/block_price.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

using namespace testing;

Layout alone(Recompute recompute) {
  Layout layout;
  layout.recompute = recompute;
  return layout;
}

BlockPrice price_of(const TrainingJob& job, std::size_t block) {
  return price_block(job, blocks_of(job.network).blocks[block], {}, alone(Recompute::none), paths_of(job),
                     marks_of(job.network, job.framework));
}

/// Of one pass over `layer`, at the device's laws and the software's kernel efficiency.
Seconds pass_time(const TrainingJob& job, const std::vector<Operator>& operators, Precision precision) {
  Seconds time;
  for (const Operator& op : operators) time += operator_time(op, job.cluster.device, job.device_law, precision);
  return time / job.framework.kernel_efficiency.value;
}

}  // namespace

TEST_CASE("Recomputing every second block takes and saves half of what recomputing all does") {
  const TrainingJob job = megatron_job({24, 2048, 16}, 8, 8, "modern");
  LayoutJudge judge(job);
  const StepPrediction none = judge.predict(alone(Recompute::none)), half = judge.predict(alone(Recompute::alternate)),
                       all = judge.predict(alone(Recompute::full));
  CHECK(none.parts.recompute.value() == 0);
  CHECK(all.parts.recompute.value() > 0);
  CHECK(half.parts.recompute.value() == Approx(all.parts.recompute.value() / 2));
  CHECK(half.hardware_flops.value() == Approx((none.hardware_flops + all.hardware_flops).value() / 2));
  const auto kept = [](const StepPrediction& step) { return step.memory.states.activations.value(); };
  CHECK(kept(all) < 0.2 * kept(none));
  CHECK(kept(half) == Approx((kept(none) + kept(all)) / 2));
  CHECK(half.memory.working == all.memory.working);
}

TEST_CASE("Blocks are computed again when the loss has gone back: the larger of the two is held beside activations") {
  TrainingJob job = megatron_job({24, 2048, 16}, 8, 8, "modern");
  const auto working = [&](double bytes, Recompute recompute) {
    job.framework.logit_gradient_bytes = Ranged(bytes);
    return LayoutJudge(job).memory(alone(recompute)).working.value();
  };
  // One sample of 2048 tokens, 51200 classes.
  const double logits = 2048.0 * 51200;
  CHECK(working(2, Recompute::none) == Approx(2 * logits));
  CHECK(working(10, Recompute::none) == Approx(10 * logits));
  CHECK(working(10, Recompute::full) == Approx(10 * logits));
  // Where the loss keeps no logits a block is more: 34 bytes for each of 2048 x 2048 numbers (Korthikanti et al. 2022),
  // less what went with the loss, inputs of norm and head.
  const auto without_logits = [&](Recompute recompute) {
    job.framework.whole_logits = Ranged(0);
    return working(10, recompute);
  };
  CHECK(without_logits(Recompute::none) == 0);
  const double block = without_logits(Recompute::full);
  CHECK(block == Approx((34 - 2 * 2) * 2048.0 * 2048).epsilon(0.01));
  // With a long vocabulary what the loss gives back is more than a block.
  job.framework.whole_logits = Ranged(1);
  CHECK(working(1e-3, Recompute::full) == Approx(1e-3 * logits));
  // With a short one it is not, though 64 logits of 4 bytes go before it, too.
  TransformerShape shape;
  shape.name = "short", shape.layers = 24, shape.hidden = 2048, shape.heads = 16, shape.vocabulary = 64;
  shape.tokens = 2048, shape.dropout = 0.1;
  job.network = transformer_graph(shape);
  CHECK(working(2, Recompute::full) == Approx(block - 2048 * 64 * 4.0).epsilon(0.001));
}

TEST_CASE("Software that keeps inputs of fp8 products as they were cast keeps 27 of 32 bytes, 16 bits are untouched") {
  TrainingJob job = megatron_job({24, 2048, 16}, 8, 8, "modern");
  job.cluster.device = *shipped_catalogue().device("h100-sxm");
  const auto kept = [&](Precision precision, double operand_bytes) {
    job.precision = precision;
    job.framework.kept_operand_bytes = Ranged(operand_bytes);
    return LayoutJudge(job).predict(alone(Recompute::none)).memory.states.activations.value();
  };
  CHECK(kept(Precision::bf16, 1) == kept(Precision::bf16, 2));
  CHECK(kept(Precision::fp8, 2) == kept(Precision::bf16, 2));
  CHECK(kept(Precision::fp8, 1) < 0.9 * kept(Precision::fp8, 2));
  CHECK(kept(Precision::fp8, 1) > 0.8 * kept(Precision::fp8, 2));
}

TEST_CASE("Recomputation that stops early leaves out the last product of every block") {
  TrainingJob job = megatron_job({24, 2048, 16}, 1, 8, "modern");
  const Seconds whole = LayoutJudge(job).predict(alone(Recompute::full)).parts.recompute;
  job.framework.recompute_early_stop = Ranged(1);
  const Seconds stopped = LayoutJudge(job).predict(alone(Recompute::full)).parts.recompute;
  const Block block = blocks_of(job.network).blocks[1];
  std::size_t last = block.end;
  while (job.network.layers[--last].kind != LayerKind::dense) {
  }
  CHECK(job.network.layers[last].in.channels == 4 * 2048);  // out of the perceptron
  Seconds saved;
  for (std::size_t i = last; i < block.end; ++i) {
    OperatorShare share;
    share.attention = AttentionKernel::flash;
    saved += pass_time(job, operators_of(job.network.layers[i], share, job.precision).forward, job.precision);
  }
  CHECK((whole - stopped).value() == Approx(24 * saved.value()));
}

TEST_CASE("Exchange hidden by a pass lengthens it by the share that the software says") {
  TrainingJob job = megatron_job({24, 2048, 16}, 64, 8, "modern");
  Layout layout = alone(Recompute::none);
  layout.dp = 8, layout.zero_stage = 3;
  const auto shown = [&](double interference) {
    job.framework.exchange_interference = Ranged(interference);
    const LayoutPrices prices = LayoutJudge(job).prices(layout);
    return prices.states_forward.exposed.value();
  };
  const double none = shown(0), half = shown(0.5), all = shown(1);
  CHECK(none == 0);  // of 8 samples' forward pass on NVLink
  CHECK(half > 0);
  CHECK(all == Approx(2 * half));
  // Weights of the blocks and tables, gathered in 16 bits: 7/8 of them come from the others.
  const double bytes = 2.0 * static_cast<double>(trainable_parameters(job.network)) * 7 / 8;
  CHECK(all == Approx(bytes / (job.node_law.bus_GBps.value * giga)).epsilon(0.3));
}

TEST_CASE("Kernels of an earlier generation reach a share of the device's fused attention") {
  TrainingJob job = megatron_job({2, 2048, 16}, 1, 8, "modern");
  job.device_law.attention_1_share = Ranged(0.25), job.device_law.attention_2_share = Ranged(0.5);
  const auto forward = [&](double generation) {
    job.framework.flash_attention = Ranged(generation);
    return price_of(job, 1).forward.value();
  };
  const double newest = forward(3), second = forward(2), first = forward(1);
  CHECK(second - newest > 0);
  CHECK(first - newest == Approx(3 * (second - newest)));  // 1 / .25 - 1 against 1 / .5 - 1
}

TEST_CASE("fp8 leaves the products of the logits in 16 bits") {
  TrainingJob job = megatron_job({2, 2048, 16}, 1, 8, "modern");
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  job.cluster.device = *read_catalogue(folder, problems).device("h100-sxm");
  job.device_law = DeviceLaws::read(folder, problems).of(job.cluster.device);
  problems.throw_if_any();
  const std::size_t head = blocks_of(job.network).blocks.size() - 1;
  job.precision = Precision::bf16;
  const double wide = price_of(job, head).backward_weights.value(), body = price_of(job, 1).backward_weights.value();
  job.precision = Precision::fp8;
  CHECK(price_of(job, head).backward_weights.value() == Approx(wide));
  CHECK(price_of(job, 1).backward_weights.value() < 0.7 * body);
}

TEST_CASE("A block that ends in experts is recomputed but for the sum behind them, whose operands no gradient needs") {
  const TrainingJob job = experts_job(1, "ideal");
  const BlockPrice price = price_of(job, 1);
  const Layer& sum = job.network.layers[blocks_of(job.network).blocks[1].end - 1];
  REQUIRE(sum.kind == LayerKind::residual_add);
  CHECK(price.last_product.value() ==
        Approx(pass_time(job, operators_of(sum, {}, job.precision).forward, job.precision).value()));
  CHECK(price.last_product.value() < 0.1 * price.forward.value());
}

TEST_CASE("Experts take at least what the host needs to ask for their products") {
  TrainingJob job = experts_job(1, "ideal");
  job.framework.expert_host_ms = Ranged(12.5);  // of 8 experts
  const auto compute = [&](Recompute recompute) { return LayoutJudge(job).predict(alone(recompute)).parts; };
  const StepParts once = compute(Recompute::none), again = compute(Recompute::full);
  CHECK((once.compute + once.gaps).value() == Approx(4 * 0.1));
  CHECK((again.compute + again.gaps + again.recompute).value() == Approx(4 * 0.15));
}

TEST_CASE("Products within steps reach the sustained share of what they reach alone, other kernels all of it") {
  TrainingJob job = megatron_job({2, 2048, 16}, 1, 8, "modern");
  const auto forward = [&](double share) {
    job.device_law.sustained_share = Ranged(share);
    return price_of(job, 1).forward.value();
  };
  const double alone = forward(1), half = forward(0.5), quarter = forward(0.25);
  CHECK(half > alone);
  CHECK(half < 2 * alone);                               // attention and streaming kernels stay
  CHECK(quarter - alone == Approx(3 * (half - alone)));  // 1 / .25 - 1 against 1 / .5 - 1
}

TEST_CASE("Under sequence parallelism operands of fp8 products are cast by parts and gathered as they were cast") {
  TrainingJob job = megatron_job({2, 2048, 16}, 1, 8, "modern");
  job.cluster.device = *shipped_catalogue().device("h100-sxm");
  Layout layout;
  layout.tp = 4;
  const TensorSplit split = split_tensor(job.network, layout.tp);
  const Block block = blocks_of(job.network).blocks[1];
  const auto price = [&](Precision precision, SequenceParallel parallel, double cast_bytes) {
    job.precision = precision, layout.sequence_parallel = parallel;
    job.framework.cast_bytes = Ranged(cast_bytes);
    return price_block(job, block, split, layout, paths_of(job), marks_of(job.network, job.framework));
  };
  const auto sent = [&](Precision precision, SequenceParallel parallel) {
    return price(precision, parallel, 4).tensor_sent.forward.total().value();
  };
  // Of reduce-scatter and all-gather, 2 bytes a number each, the second takes 1 byte.
  CHECK(sent(Precision::fp8, SequenceParallel::on) == Approx(0.75 * sent(Precision::bf16, SequenceParallel::on)));
  CHECK(sent(Precision::fp8, SequenceParallel::off) == Approx(sent(Precision::bf16, SequenceParallel::off)));
  // Per token: a whole input for QKV and for the first product of the perceptron, cast by all or a fourth each; heads
  // and inner width, of which every rank has its fourth.
  const auto casting = [&](SequenceParallel parallel) {
    return (price(Precision::fp8, parallel, 8).forward - price(Precision::fp8, parallel, 4).forward).value();
  };
  const double whole = 2 * 2048, split_over_ranks = (2048 + 8192) / 4.0;
  CHECK(casting(SequenceParallel::on) / casting(SequenceParallel::off) ==
        Approx((whole / 4 + split_over_ranks) / (whole + split_over_ranks)));
}

TEST_CASE("hardware FLOPs count of causal attention what a fused kernel executes, model FLOPs all of it") {
  TrainingJob job = megatron_job({24, 2048, 16}, 8, 8, "modern");
  const auto flops = [&](double flash, Recompute recompute) {
    job.framework.flash_attention = Ranged(flash);
    return LayoutJudge(job).predict(alone(recompute));
  };
  // Q K^T and scores V of 24 blocks, forward and twice backward, of 8 samples.
  const double attention = 3 * 8 * 24 * 4.0 * 2048 * 2048 * 2048;
  const StepPrediction unfused = flops(0, Recompute::none), fused = flops(3, Recompute::none);
  CHECK(unfused.hardware_flops == unfused.model_flops);
  CHECK(fused.model_flops == unfused.model_flops);
  CHECK((fused.model_flops - fused.hardware_flops).value() == Approx(attention / 2));
  // Recomputing them executes a third of these once more.
  const StepPrediction again = flops(3, Recompute::full), whole = flops(0, Recompute::full);
  CHECK((whole.hardware_flops - again.hardware_flops).value() == Approx(attention / 2 * 4 / 3));
}

}  // namespace orrery
