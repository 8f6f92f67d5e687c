// What a framework's constants add to a layout's step.
#include "models/cost/operators.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

Layout sharded(int dp) {
  Layout layout;
  layout.dp = dp, layout.zero_stage = 3, layout.recompute = Recompute::full;
  return layout;
}

Seconds exchanges(TrainingJob job, int dp, double links) {
  job.framework.gather_links = Ranged(links);
  return LayoutJudge(job).predict(sharded(dp)).comm_dp;
}

TEST_CASE("Gathers of ZeRO-3 fill so many links, not all of a node's, inside a node they are the library's") {
  const TrainingJob job = megatron_job(megatron_22b, 64, 64, "deepspeed-zero3");
  const double all = job.network_law.bus_GBps.value * 8;  // of the eight links of a node
  const double link = job.cluster.network_link->down.value() / giga;
  const double slower = exchanges(job, 64, 0.5) / exchanges(job, 64, 0);
  CHECK(slower == Approx(all / (0.5 * link)).epsilon(0.1));  // but for what starts and hops take
  CHECK(slower < all / (0.5 * link));
  CHECK(exchanges(job, 64, 8) / exchanges(job, 64, 0) == Approx(1.0));  // never faster than the library
  CHECK(exchanges(job, 8, 0.5) / exchanges(job, 8, 0) == Approx(1.0));
  CHECK(job.framework.gather_links.value == Approx(0.72));
}

TEST_CASE("ZeRO-3 with few samples per device takes what its gathers take (Narayanan et al. 2021)") {
  // Published for 1,536 samples: 44 TFLOP/s on 1,536 devices and 88 on 768: the same step for twice the work.
  const TrainingJob job = megatron_job(megatron_175b, 1536, 1536, "deepspeed-zero3");
  Layout half = sharded(768);
  half.microbatch = 2;
  const StepPrediction once = LayoutJudge(job).predict(sharded(1536)), twice = LayoutJudge(job).predict(half);
  CHECK(twice.time() / once.time() == Approx(1.0).margin(0.15));
}

TEST_CASE("A thin core slows gathers only below the links that they fill anyway") {
  TrainingJob job = megatron_job(megatron_22b, 64, 64, "deepspeed-zero3");
  const auto step = [&](double oversubscription) {
    job.cluster.fabric = "fat-tree";
    job.cluster.nodes_per_leaf = 2, job.cluster.oversubscription = oversubscription;
    return LayoutJudge(job).predict(sharded(64)).comm_dp;
  };
  // A ring leaves its leaf of two nodes once: 8:1 leaves it a quarter of all, more than 0.72 of one of eight links.
  CHECK(step(8).value() == Approx(step(1).value()));
  CHECK(step(64) / step(1) > 1.5);
}

TEST_CASE("The ends of a pipeline sum their tied weights over the leaves between them") {
  TrainingJob job = megatron_job(megatron_22b, 64, 32);
  Layout layout;
  layout.tp = 8, layout.pp = 4;
  const auto tied = [&](int nodes_per_leaf, double oversubscription) {
    job.cluster.fabric = "fat-tree";
    job.cluster.nodes_per_leaf = nodes_per_leaf, job.cluster.oversubscription = oversubscription;
    return LayoutJudge(job).prices(layout).tied_exchange.time;
  };
  CHECK(tied(2, 8) > tied(2, 1) * 1.5);  // stages 0 and 3 stand under different leaves
  CHECK(tied(4, 8).value() == Approx(tied(4, 1).value()));
}

/// What doubling the products of the logits adds to a micro-batch on one stage.
Seconds added_by_head(TrainingJob job, int tp) {
  Layout layout;
  layout.tp = tp;
  job.framework.host_forward_us = job.framework.host_backward_us = Ranged(0);
  job.framework.unsplit_head = Ranged(1);
  const auto computing = [&] {
    const StepParts parts = LayoutJudge(job).predict(layout).parts;
    return parts.compute + parts.gaps;
  };
  const Seconds plain = computing();
  job.framework.unsplit_head = Ranged(2);
  return computing() - plain;
}

TEST_CASE("Products of the logits take longer where they are not split") {
  const TrainingJob job = megatron_job({4, 2048, 16}, 1, 8, "megatron-deepspeed-2021");
  CHECK(added_by_head(job, 2).value() == Approx(0).margin(1e-12));
  const Layer& head = job.network.layers[job.network.layers.size() - 2];
  const LayerOperators operators = operators_of(head, {}, job.precision);
  Seconds products;
  for (const auto* pass : {&operators.forward, &operators.backward_input, &operators.backward_weights}) {
    for (const Operator& op : *pass) products += operator_time(op, job.cluster.device, job.device_law, job.precision);
  }
  CHECK(head.out.channels == 51200);
  CHECK(added_by_head(job, 1).value() == Approx(products.value()));
}

TEST_CASE("A device waits for the engine at every block that is computed again, and is idle meanwhile") {
  TrainingJob job = megatron_job({4, 2048, 16}, 32, 8, "ideal");
  const auto parts = [&](double wait_ms, Recompute recompute) {
    job.framework.checkpoint_wait_ms = Ranged(wait_ms);
    Layout layout;
    layout.dp = 8, layout.recompute = recompute;
    return LayoutJudge(job).predict(layout).parts;
  };
  const StepParts plain = parts(0, Recompute::full), waits = parts(5, Recompute::full);
  CHECK((waits.total() - plain.total()).value() == Approx(4 * 4 * 5e-3));  // micro-batches, blocks
  CHECK((waits.gaps - plain.gaps).value() == Approx(4 * 4 * 5e-3));
  CHECK(waits.compute.value() == Approx(plain.compute.value()));
  CHECK(parts(5, Recompute::none).total() == parts(0, Recompute::none).total());
}

TEST_CASE("Replicas wait for the one with most tokens, of which those of several micro-batches even out") {
  const auto share = [](std::int64_t batch, int zero_stage, double variation) {
    TrainingJob job = megatron_job({4, 1024, 16}, batch, 8, "ideal");
    job.length_variation = variation;
    Layout layout;
    layout.dp = 8, layout.zero_stage = zero_stage;
    const StepParts parts = LayoutJudge(job).predict(layout).parts;
    return parts.straggler / (parts.total() - parts.straggler - parts.exposed_dp);
  };
  // The largest of eight normal draws lies 1.4236 standard deviations above their mean.
  CHECK(share(8, 1, 0.2) == Approx(0.2 * 1.4236003));
  CHECK(share(8 * 16, 1, 0.2) == Approx(0.2 * 1.4236003 / 4));
  CHECK(share(8 * 16, 2, 0.2) == Approx(0.2 * 1.4236003));  // gradients are summed with every micro-batch
  CHECK(share(8 * 16, 3, 0.2) == Approx(0.2 * 1.4236003));
  CHECK(share(8, 1, 0) == 0);
}

TEST_CASE("Islands wait for each other once in so many steps, by chance") {
  const auto straggler = [](int islands, int every) {
    Layout layout;
    layout.dp = 16, layout.outer.islands = islands, layout.outer.every = every;
    const StepParts parts = LayoutJudge(megatron_job({4, 1024, 16}, 16, 16, "modern")).predict(layout).parts;
    return parts.straggler / (parts.total() - parts.straggler - parts.exposed_dp - parts.exposed_outer);
  };
  CHECK(straggler(1, 1) == Approx(0.004 * 4));
  CHECK(straggler(4, 100) == Approx(0.004 * 2 + 0.004 * 2 / 10));
  CHECK(straggler(16, 25) == Approx(0.004 * 4 / 5));
}

TEST_CASE("Sums kept apart from bf16 gradients are traffic of every micro-batch, and memory") {
  TrainingJob job = megatron_job({4, 2048, 16}, 32, 8, "ideal");
  Layout layout;
  layout.dp = 8;
  const auto predicted = [&](Precision precision, double sums, double kept) {
    job.precision = precision;
    job.framework.bf16_sum_bytes = Ranged(sums), job.framework.bf16_gradient_bytes = Ranged(kept);
    return LayoutJudge(job).predict(layout);
  };
  const double numbers = predicted(Precision::bf16, 0, 4).memory.states.gradients.value() / 4;
  const double bandwidth = job.cluster.device.memory_bandwidth.value() * job.device_law.memory_share.value;
  const Seconds plain = predicted(Precision::bf16, 0, 4).parts.total();
  CHECK((predicted(Precision::bf16, 10, 4).parts.total() - plain).value() == Approx(4 * numbers * 10 / bandwidth));
  CHECK(predicted(Precision::bf16, 0, 6).memory.states.gradients.value() == Approx(6 * numbers));
  CHECK(predicted(Precision::fp16, 10, 6).parts.total() == predicted(Precision::fp16, 0, 4).parts.total());
  CHECK(predicted(Precision::fp16, 0, 6).memory.states.gradients.value() == Approx(4 * numbers));
}

}  // namespace
}  // namespace orrery
