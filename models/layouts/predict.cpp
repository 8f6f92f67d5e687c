// The step of a layout from the work of its stages.
#include <algorithm>
#include <cmath>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"

namespace orrery {
namespace {

struct PipelineTime {
  std::size_t slowest = 0;
  Seconds bubble;  // of the slowest stage
};

/// 1F1B: (m - 1) max + sum of the stages' forward + backward; interleaved over v chunks m max + (sum - max) / v
/// (Narayanan et al. 2021); GPipe: the same for forward and backward apart; ZB-H1: the gradients of the weights fill
/// the bubble, (p - 1)(forward + backward of inputs - of weights) (Qi et al. 2023).
PipelineTime pipeline_time(const std::vector<StageWork>& stages, const Layout& layout, double count) {
  PipelineTime time;
  Seconds sum, forward_sum, backward_sum, forward_most, backward_most, idle;
  Seconds most;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Seconds forward = stages[i].forward_time(), backward = stages[i].backward_time();
    sum += forward + backward;
    forward_sum += forward, backward_sum += backward;
    forward_most = std::max(forward_most, forward), backward_most = std::max(backward_most, backward);
    if (forward + backward > most) most = forward + backward, time.slowest = i;
  }
  switch (layout.schedule) {
    case PipelineSchedule::gpipe:
      time.bubble = (forward_most + backward_most) * (count - 1) + forward_sum + backward_sum - most * count;
      break;
    case PipelineSchedule::one_f_one_b:
      time.bubble = (sum - most) / static_cast<double>(layout.interleave);
      break;
    case PipelineSchedule::zero_bubble:
      for (std::size_t i = 0; i < stages.size(); ++i) {
        if (i == time.slowest) continue;
        idle += stages[i].forward_time() + stages[i].backward_time() - stages[i].backward_weights * 2.0;
      }
      time.bubble = std::max(Seconds(0), idle);
      break;
  }
  return time;
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
  const PipelineTime pipeline = pipeline_time(stages, layout, count);
  const StageWork& slowest = stages[pipeline.slowest];
  add_busy(parts, slowest, count);
  parts.bubble = pipeline.bubble;

  const double hops = layout.pp - 1, crossings = count * layout.interleave;
  const Seconds transfer = transfer_time(chunks.front(), layout);
  step.comm_pp = transfer * (2.0 * crossings);
  const Seconds tied = tied_exchange(layout);
  if (layout.pp > 1) {
    parts.exposed_pp =
        transfer * (2.0 * hops + 2.0 * (crossings - 1.0) * job_.framework.blocking_transfers.value) + tied;
    // Messages that nobody waits for hide behind computing only as far as it lasts.
    const Seconds each = slowest.forward_time() + slowest.backward_time();
    const Seconds beyond = std::max(Seconds(0), transfer * static_cast<double>(layout.interleave) - each);
    parts.exposed_pp += beyond * ((count - 1.0) * (1.0 - job_.framework.blocking_transfers.value));
  }
  for (const StageWork& stage : stages) {
    const StateExchange exchange = exchange_states(stage, layout);
    parts.exposed_dp = std::max(parts.exposed_dp, exchange.exposed);
    step.comm_dp = std::max(step.comm_dp, exchange.gradients + exchange.parameters);
    parts.optimizer = std::max(parts.optimizer, optimizer_time(stage, layout));
    step.sent_per_device += ((stage.tensor_sent + stage.context_sent + stage.expert_sent) * count + exchange.sent) /
                            static_cast<double>(layout.pp);
  }
  const Bytes crossing = bytes_in_memory(job_.precision) * (chunks.front().boundary_numbers / layout.tp);
  const double edges = layout.pp * layout.interleave - 1.0;
  step.sent_per_device += crossing * (2.0 * count * edges / layout.pp);
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
      price.tensor_wire = work.tensor_sent + work.context_sent + work.expert_sent;
      stage.chunks.push_back(price);
    }
    const StateExchange exchange = exchange_states(stages[i], layout);
    prices.gradient_exposed = std::max(prices.gradient_exposed, exchange.exposed);
    if (exchange.cost.total() >= prices.gradient_exchange.total()) prices.gradient_exchange = exchange.cost;
    prices.stages.push_back(std::move(stage));
  }
  return prices;
}

}  // namespace orrery
