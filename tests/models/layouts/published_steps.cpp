// The closed form against hand checks and the published steps of Korthikanti et al. 2022 (arXiv 2205.05198, tables 4
// and 5). No constant was fitted to the steps.
#include "models/layouts/block_price.hpp"

#include <cmath>

#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

Layout layout_of(int pp, int dp, std::int64_t microbatch, int interleave, Recompute recompute, SequenceParallel sp) {
  Layout layout;
  layout.tp = 8, layout.pp = pp, layout.dp = dp;
  layout.microbatch = microbatch, layout.interleave = interleave;
  layout.recompute = recompute, layout.sequence_parallel = sp;
  return layout;
}

struct PublishedStep {
  const char* name;
  MegatronModel model;
  std::int64_t batch;
  int devices;
  Layout layout;
  double seconds;
};

constexpr auto off = SequenceParallel::off, on = SequenceParallel::on;

std::vector<PublishedStep> published() {
  return {{"22B full", megatron_22b, 4, 8, layout_of(1, 1, 4, 1, Recompute::full, off), 1.42},
          {"22B selective", megatron_22b, 4, 8, layout_of(1, 1, 4, 1, Recompute::selective, on), 1.10},
          {"175B full", megatron_175b, 64, 64, layout_of(8, 1, 1, 3, Recompute::full, off), 18.13},
          {"175B selective", megatron_175b, 64, 64, layout_of(8, 1, 1, 3, Recompute::selective, on), 13.75},
          {"530B full", megatron_530b, 280, 280, layout_of(35, 1, 1, 3, Recompute::full, off), 49.05},
          {"530B selective", megatron_530b, 280, 280, layout_of(35, 1, 1, 3, Recompute::selective, on), 37.83},
          {"1T full", megatron_1t, 512, 512, layout_of(64, 1, 1, 1, Recompute::full, off), 94.42},
          {"1T selective", megatron_1t, 512, 512, layout_of(64, 1, 1, 1, Recompute::selective, on), 71.49},
          {"530B dp 8", megatron_530b, 2240, 2240, layout_of(35, 8, 1, 3, Recompute::selective, on), 39.15}};
}

TEST_CASE("Steps of 22B to 1T are those published within 5 %, 3 % in the mean, inside their ranges") {
  double sum = 0;
  int inside = 0;
  for (const PublishedStep& step : published()) {
    const TrainingJob job = megatron_job(step.model, step.batch, step.devices);
    LayoutJudge judge(job);
    REQUIRE(judge.obstacles(step.layout).empty());
    const auto time = [](const StepPrediction& prediction) { return prediction.time().value(); };
    const Ranged seconds = predicted_range(job, step.layout, time, time_error(job));
    INFO(step.name << ": published " << step.seconds << " s, predicted " << seconds.value << " (" << seconds.low
                   << " to " << seconds.high << ")");
    CHECK(seconds.value == Approx(step.seconds).epsilon(0.05));
    sum += std::abs(seconds.value / step.seconds - 1);
    inside += seconds.low <= step.seconds && step.seconds <= seconds.high ? 1 : 0;
  }
  CHECK(sum / static_cast<double>(published().size()) < 0.03);
  CHECK(inside >= 8);
}

BlockPrice layer_price(const MegatronModel& model, std::int64_t microbatch, SequenceParallel sp) {
  const TrainingJob job = megatron_job(model, microbatch, 8);
  const BlockSequence sequence = blocks_of(job.network);
  return price_block(job, sequence.blocks[sequence.classes[sequence.repeated]], split_tensor(job.network, 8),
                     layout_of(1, 1, microbatch, 1, Recompute::none, sp), paths_of(job),
                     marks_of(job.network, job.framework));
}

double forward_ms(const BlockPrice& price) {
  return (price.forward + price.tensor_forward).value() * 1e3;
}

TEST_CASE("One layer over eight A100 takes what was computed by hand and what was published") {
  const BlockPrice large = layer_price(megatron_175b, 1, off);
  CHECK(forward_ms(large) == Approx(5.652).epsilon(0.01));
  CHECK(large.selective.time.value() * 1e3 == Approx(0.525).epsilon(0.01));
  CHECK(large.tensor_forward.value() * 1e3 == Approx(1.041).epsilon(0.01));
  CHECK(forward_ms(layer_price(megatron_175b, 1, on)) == Approx(5.381).epsilon(0.01));
  CHECK(forward_ms(layer_price(megatron_530b, 1, off)) == Approx(13.06).epsilon(0.01));
  CHECK(forward_ms(layer_price(megatron_1t, 1, off)) == Approx(19.30).epsilon(0.01));
  CHECK(forward_ms(layer_price(megatron_22b, 4, off)) == Approx(7.7).epsilon(0.02));  // published
  CHECK(forward_ms(layer_price(megatron_22b, 4, on)) == Approx(7.2).epsilon(0.02));   // published
}

TEST_CASE("Activations and states are those of the paper's formulas") {
  const double mb = 1e6, gib = 1024.0 * 1024.0 * 1024.0;
  const double token_bytes = 2048.0 * 12288;  // s b h of 175B, one byte each
  const BlockPrice none = layer_price(megatron_175b, 1, off), sequence = layer_price(megatron_175b, 1, on);
  CHECK(none.kept.value() == Approx(token_bytes * (10 + 24.0 / 8 + 5.0 * 96 * 2048 / (12288.0 * 8))).epsilon(1e-3));
  CHECK(none.kept.value() / mb == Approx(579).epsilon(0.01));
  CHECK(sequence.kept.value() / mb == Approx(359).epsilon(0.01));
  CHECK(sequence.selective.kept.value() == Approx(token_bytes * 34 / 8).epsilon(1e-3));
  CHECK(none.kept_full.value() == Approx(token_bytes * 2));
  const TrainingJob job = megatron_job(megatron_175b, 64, 64);
  LayoutJudge judge(job);
  const LayoutMemory kept = judge.memory(layout_of(8, 1, 1, 3, Recompute::none, off));
  CHECK(kept.states.activations.value() / gib == Approx(66.84).epsilon(0.01));  // paper's figure 1
  CHECK(judge.memory(layout_of(8, 1, 1, 3, Recompute::selective, on)).states.activations.value() / gib ==
        Approx(12.35).epsilon(0.01));
  const double states = (kept.states.weights + kept.states.gradients + kept.states.optimizer).value() / gib;
  CHECK(states == Approx(46.88).epsilon(0.005));  // 45.56 without the embedding (published)
}

}  // namespace
TEST_CASE("steps of mixtures of experts miss by more, unless all steps of the software do") {
  TrainingJob experts = experts_job(8), dense = megatron_job({4, 1024, 16}, 8, 8, "modern");
  for (TrainingJob* job : {&experts, &dense}) {
    job->framework.model_error = Ranged(0.1), job->framework.expert_error = Ranged(0.3);
  }
  CHECK(time_error(dense) == 0.1);
  CHECK(time_error(experts) == 0.3);
  experts.framework.model_error = Ranged(0.5);
  CHECK(time_error(experts) == 0.5);
  // An ideal device and software without ranges: the error alone.
  Layout layout;
  layout.dp = 8;
  const Ranged certain = predicted_range(
      dense, layout, [](const StepPrediction&) { return 2.0; }, 0.25);
  CHECK(certain == Ranged(2, 1.5, 2.5));
}

}  // namespace orrery
