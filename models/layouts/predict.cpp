// The step of a layout from the work of its stages.
#include <algorithm>
#include <cmath>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/pipeline_time.hpp"

namespace orrery {
namespace {

std::vector<StageTime> stage_times(const std::vector<StageWork>& stages, PipelineSchedule schedule) {
  std::vector<StageTime> times;
  times.reserve(stages.size());
  for (const StageWork& stage : stages) {
    const Seconds apart = schedule == PipelineSchedule::zero_bubble ? stage.backward_weights : Seconds();
    times.push_back({stage.forward_time(), stage.backward_time() - apart, apart});
  }
  return times;
}

void add_busy(StepParts& parts, const StageWork& stage, double count) {
  parts.compute = (stage.forward + stage.backward_input + stage.backward_weights) * count;
  parts.recompute = stage.recompute * count;
  parts.exposed_tp = (stage.tensor_forward + stage.tensor_backward + stage.tensor_recompute) * count;
  parts.exposed_cp = (stage.context_forward + stage.context_backward + stage.context_recompute) * count;
  parts.exposed_ep = (stage.expert_forward + stage.expert_backward + stage.expert_recompute) * count;
}

}  // namespace

StepPrediction LayoutJudge::State::predict(const Layout& layout) {
  const std::vector<StageWork> chunks = chunks_of(layout), stages = stages_of(chunks, layout);
  const auto count = static_cast<double>(microbatches(layout, job_.batch));
  StepPrediction step;
  StepParts& parts = step.parts;
  step.microbatches = static_cast<int>(count);
  const Seconds transfer = transfer_time(chunks.front(), layout);
  const PipelineTime pipeline = pipeline_time(stage_times(stages, layout.schedule), layout, count, transfer,
                                              job_.framework.blocking_transfers.value);
  const StageWork& slowest = stages[pipeline.slowest];
  add_busy(parts, slowest, count);
  parts.bubble = pipeline.bubble;
  parts.exposed_pp = pipeline.messages + tied_exchange(layout);
  step.comm_pp = transfer * (2.0 * count * layout.interleave);
  for (const StageWork& stage : stages) {
    const StateExchange exchange = exchange_states(stage, layout);
    parts.exposed_dp = std::max(parts.exposed_dp, exchange.exposed);
    step.comm_dp = std::max(step.comm_dp, exchange.gradients + exchange.parameters);
    parts.optimizer = std::max(parts.optimizer, optimizer_time(stage, layout));
    PassBytes groups = stage.tensor_sent;
    groups += stage.context_sent, groups += stage.expert_sent;
    WireBytes sent = groups.forward;
    sent += groups.backward, sent += groups.recompute;
    sent = sent * count;
    sent += exchange.sent;
    step.exchanged_per_device += sent * (1.0 / layout.pp);
  }
  const Bytes crossing = bytes_in_memory(job_.precision) * (chunks.front().boundary_numbers / layout.tp);
  const double edges = layout.pp * layout.interleave - 1.0;
  step.sent_per_device = step.exchanged_per_device.total() + crossing * (2.0 * count * edges / layout.pp);
  step.comm_tp = slowest.tensor_whole * count, step.comm_cp = slowest.context_whole * count;
  step.comm_ep = slowest.expert_whole * count;

  const double replicas = layout.dp;
  const double late = job_.framework.straggler_per_doubling.value * std::log2(replicas) +
                      job_.length_variation * std::sqrt(2.0 * std::log(replicas));
  parts.straggler = (parts.total() - parts.exposed_dp) * late;

  const auto samples = static_cast<double>(job_.batch);
  step.model_flops = training_flops_ * samples;
  step.hardware_flops = step.model_flops;
  if (layout.recompute == Recompute::full) step.hardware_flops += recomputed_flops_ * samples;
  if (layout.recompute == Recompute::selective) step.hardware_flops += core_flops_ * samples;
  step.memory = fullest(chunks, stages, layout);
  return step;
}

LayoutPrices LayoutJudge::State::prices(const Layout& layout) {
  const std::vector<StageWork> chunks = chunks_of(layout), stages = stages_of(chunks, layout);
  LayoutPrices prices;
  prices.transfer = transfer_time(chunks.front(), layout);
  prices.tied_exchange = tied_exchange(layout);
  const Bytes width = bytes_in_memory(job_.precision);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    StagePrice stage;
    stage.optimizer = optimizer_time(stages[i], layout);
    stage.layers = layers_of(static_cast<int>(i), layout);
    for (std::size_t at = i; at < chunks.size(); at += stages.size()) {
      const StageWork& work = chunks[at];
      ChunkPrice price;
      price.forward = work.forward, price.backward_input = work.backward_input;
      price.backward_weights = work.backward_weights, price.recompute = work.recompute;
      price.tensor_forward = work.tensor_forward, price.tensor_backward = work.tensor_backward;
      price.tensor_recompute = work.tensor_recompute;
      price.context_forward = work.context_forward;
      price.context_backward = work.context_backward + work.context_recompute;
      price.expert_forward = work.expert_forward;
      price.expert_backward = work.expert_backward + work.expert_recompute;
      price.boundary = width * (work.boundary_numbers / layout.tp);
      price.parameters = work.parameters, price.expert_parameters = work.expert_parameters;
      price.tensor_sent = work.tensor_sent, price.context_sent = work.context_sent;
      price.expert_sent = work.expert_sent;
      stage.chunks.push_back(price);
    }
    const StateExchange exchange = exchange_states(stages[i], layout);
    stage.gradient_exchange = exchange.cost;
    prices.gradient_exposed = std::max(prices.gradient_exposed, exchange.exposed);
    if (exchange.cost.total() >= prices.gradient_exchange.total()) prices.gradient_exchange = exchange.cost;
    if (layout.pp == 1) prices.states_forward = exchange.forward, prices.states_backward = exchange.backward;
    prices.stages.push_back(std::move(stage));
  }
  return prices;
}

}  // namespace orrery
