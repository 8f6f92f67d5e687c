// The optimizer's part of a pipeline's step: what each stage updates, and when.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using namespace testing;

/// Six blocks of which the first does not train: of four stages the last has most to update.
TrainingJob late_job(bool is_tied) {
  TrainingJob job = megatron_job({6, 1024, 16}, 8, 8, "ideal");
  TransformerShape shape;
  shape.name = "late", shape.layers = 6, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = 51200;
  shape.tokens = 2048, shape.tied = is_tied;
  job.network = transformer_graph(shape);
  for (Layer& layer : job.network.layers) layer.frozen = layer.name.rfind("block.1.", 0) == 0;
  return job;
}

/// How much earlier than the last of them each stage has done its last pass. With ZB-H1 the gradients of weights of
/// stage + 1 micro-batches, of eight, follow its last gradients of inputs.
std::vector<Seconds> early(const LayoutPrices& prices, PipelineSchedule schedule) {
  std::vector<Seconds> done;
  Seconds sent;
  for (std::size_t stage = 0; stage < prices.stages.size(); ++stage) {
    const ChunkPrice& chunk = prices.stages[stage].chunks[0];
    const Seconds weights = schedule == PipelineSchedule::zero_bubble ? chunk.backward_weights : Seconds();
    done.push_back(sent + weights * static_cast<double>(stage + 1));
    if (stage + 1 < prices.stages.size()) sent -= chunk.backward_time() - weights + prices.transfers[stage];
  }
  const Seconds latest = *std::max_element(done.begin(), done.end());
  for (Seconds& each : done) each = latest - each;
  return done;
}

/// Of dp ranks each.
Bytes sent_by_all(const TrainingJob& job, const Layout& layout) {
  return LayoutJudge(job).predict(layout).exchanged_per_device.total() * static_cast<double>(layout.devices());
}

}  // namespace

TEST_CASE("every stage updates when its own last pass is done: later ones while earlier ones still work") {
  for (const PipelineSchedule schedule :
       {PipelineSchedule::gpipe, PipelineSchedule::one_f_one_b, PipelineSchedule::zero_bubble}) {
    for (const double bytes : {34.0, 1e3, 3e4}) {
      TrainingJob job = late_job(false);
      job.framework.optimizer_bytes_adam_mixed = Ranged(bytes);
      LayoutJudge judge(job);
      const Layout layout = pipeline(4, 1, schedule);
      const LayoutPrices prices = judge.prices(layout);
      const std::vector<Seconds> by = early(prices, schedule);
      Seconds last;
      for (std::size_t i = 0; i < 4; ++i) last = std::max(last, prices.stages[i].optimizer - by[i]);
      CHECK(judge.predict(layout).parts.optimizer.value() == Approx(last.value()));
      if (schedule != PipelineSchedule::zero_bubble) CHECK(last < prices.stages[3].optimizer);
    }
  }
}

TEST_CASE("the last stage meets the first for a tied embedding, and is no earlier") {
  TrainingJob job = late_job(true);
  job.framework.optimizer_bytes_adam_mixed = Ranged(3e4);
  LayoutJudge judge(job);
  const LayoutPrices prices = judge.prices(pipeline(4));
  CHECK(judge.predict(pipeline(4)).parts.optimizer == prices.stages[3].optimizer);
}

TEST_CASE("the last stage's copy of a tied embedding is exchanged and updated as the first one's") {
  TrainingJob job = megatron_job({2, 1024, 16}, 8, 8, "ideal");
  job.network = load_network("gpt2-xl");
  const auto all = static_cast<double>(parameters(job.network));
  const double table = 50257.0 * 1600;
  Layout layout = pipeline(2);
  layout.dp = 4;
  LayoutJudge judge(job);
  const LayoutPrices prices = judge.prices(layout);
  const double first = prices.stages[0].chunks[0].parameters, last = prices.stages[1].chunks[0].parameters;
  CHECK(first + last == Approx(all + table));
  CHECK(prices.stages[1].optimizer / prices.stages[0].optimizer == Approx(last / first));
  // An all-reduce over four replicas: each sends 3/2 of its gradients; one of the table over both stages: once.
  const double wire = job.framework.gradient_wire_bytes.value;
  CHECK(sent_by_all(job, layout).value() == Approx(((all + table) * 1.5 / 2 + table) * 8 * wire));
  layout.pp = 1, layout.dp = 8;
  CHECK(sent_by_all(job, layout).value() == Approx(all * 8 * 2 * 7 / 8 * wire));
}

}  // namespace orrery
