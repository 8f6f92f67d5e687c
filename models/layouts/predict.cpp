// The step of a layout from the work of its stages.
#include <algorithm>
#include <cmath>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/pipeline_time.hpp"
#include "models/layouts/replica_places.hpp"
#include "sim/base/normal.hpp"

namespace orrery {
namespace {

std::vector<StageTime> chunk_times(const std::vector<StageWork>& chunks, PipelineSchedule schedule) {
  std::vector<StageTime> times;
  times.reserve(chunks.size());
  for (const StageWork& chunk : chunks) {
    const Seconds weights = weights_apart(chunk, schedule);
    times.push_back({chunk.forward_time(), chunk.backward_time() - weights, weights, chunk.returned});
  }
  return times;
}

/// Whether some chunk, the last one aside, gets no gradients of what it sends on, or not of all of it.
bool returns_less(const std::vector<StageTime>& chunks) {
  return std::any_of(chunks.begin(), chunks.end() - 1, [](const StageTime& chunk) { return chunk.returned < 1; });
}

void add_busy(StepParts& parts, const StageWork& stage, double count) {
  parts.compute = (stage.forward + stage.backward_input + stage.backward_weights - stage.gaps) * count;
  parts.host_waits = (stage.late + stage.late_back) * count;
  parts.gaps = stage.gaps * count + parts.host_waits;
  parts.recompute = stage.recompute * count;
  parts.exposed_tp = (stage.tensor_forward + stage.tensor_backward + stage.tensor_recompute) * count;
  parts.exposed_cp = (stage.context_forward + stage.context_backward + stage.context_recompute) * count;
  parts.exposed_ep = (stage.expert_forward + stage.expert_backward + stage.expert_recompute) * count;
}

}  // namespace

StepParts LayoutJudge::State::time_of_replica(const std::vector<StageWork>& chunks,
                                              const std::vector<StageWork>& stages, const Layout& layout, double count,
                                              const std::vector<PipelineHop>& hops, Seconds tied) {
  StepParts parts;
  const double waiting = job_.framework.blocking_transfers.value;
  const std::vector<StageTime> times = chunk_times(chunks, layout.schedule);
  PipelineTime pipeline = pipeline_time(times, layout, count, totals_of(hops), waiting);
  const StageWork& slowest = stages[pipeline.slowest];
  const Seconds work = (slowest.forward_time() + slowest.backward_time()) * count;
  const bool has_no_form =
      has_unlike_chunks(times, layout) || layout.schedule == PipelineSchedule::zero_bubble || returns_less(times);
  if (has_no_form && layout.pp > 1) {
    const std::vector<PipelineHop> free = hops_of_own_ports(layout, Seconds(), Seconds());
    const Seconds left = replay_.time(times, free, layout, static_cast<int>(count), 0.0) - work;
    constexpr double rounding = 1e-12;  // of a stage that never waits
    pipeline.bubble = left > work * rounding ? left : Seconds();
  }
  if (layout.pp > 1 && (has_no_form || has_slow_messages(times, hops, layout, waiting))) {
    const Seconds beside_work = replay_.time(times, hops, layout, static_cast<int>(count), waiting) - work;
    pipeline.bubble = std::clamp(beside_work, Seconds(), pipeline.bubble);
    pipeline.messages = std::max(Seconds(), beside_work - pipeline.bubble);
  }
  add_busy(parts, slowest, count);
  parts.bubble = pipeline.bubble;
  parts.exposed_pp = pipeline.messages + tied;
  return parts;
}

void LayoutJudge::State::add_sent(StepPrediction& step, const StageWork& stage, double count,
                                  const Layout& layout) const {
  PassBytes groups = stage.tensor_sent;
  groups += stage.context_sent, groups += stage.expert_sent;
  WireBytes sent = groups.forward;
  sent += groups.backward, sent += groups.recompute;
  step.exchanged_per_device += sent * (count / layout.pp);
}

void LayoutJudge::State::add_exchanged(StepPrediction& step, const WireBytes& sent, const Layout& layout) const {
  step.exchanged_per_device += sent * (1.0 / layout.pp);
}

void LayoutJudge::State::set_sent(StepPrediction& step, const std::vector<StageWork>& chunks, double count,
                                  const Layout& layout) const {
  double numbers = 0;  // there and back
  for (std::size_t chunk = 0; chunk + 1 < chunks.size(); ++chunk) {
    numbers += chunks[chunk].boundary_numbers * (1.0 + chunks[chunk].returned);
  }
  const Bytes crossing = bytes_in_memory(job_.precision) * (numbers / layout.tp);
  step.sent_per_device = step.exchanged_per_device.total() + crossing * (count / layout.pp);
}

double LayoutJudge::State::lateness(const Layout& layout) {
  const double replicas = static_cast<double>(layout.dp) / layout.outer.islands;  // that wait for each other
  const double by_chance = straggler_share(job_.framework, replicas) +
                           straggler_share(job_.framework, layout.outer.islands) / std::sqrt(layout.outer.every);
  if (job_.length_variation <= 0) return by_chance;
  const bool meet_always = exchanges_with_microbatches(layout) || (layout.zero_stage == 3 && layout.pp == 1);
  const double drawn = meet_always ? 1.0 : static_cast<double>(microbatches(layout, job_.batch));
  const auto [largest, is_new] = largest_of_.try_emplace(replicas);
  if (is_new) largest->second = expected_largest(replicas);
  return by_chance + job_.length_variation * largest->second / std::sqrt(drawn);
}

void LayoutJudge::State::add_stragglers(StepParts& parts, const Layout& layout) {
  parts.straggler = (parts.total() - parts.exposed_dp - parts.exposed_outer) * lateness(layout);
}

/// Micro-batches are loaded one after the other while others are worked on, the first of a step while the rest of the
/// step before passes.
void LayoutJudge::State::add_input(StepParts& parts, const std::vector<StageWork>& chunks,
                                   const std::vector<PipelineHop>& hops, double count, const Layout& layout) {
  const Seconds load = job_.load_of_sample * static_cast<double>(layout.microbatch);
  const Seconds forward = chunks.front().forward_time();
  const Seconds round = layout.pp > 1 ? forward : forward + chunks.front().backward_time();
  Seconds waits;
  if (load > round && layout.pp == 1) waits = (load - round) * (count - 1.0);
  if (load > round && layout.pp > 1) {
    const std::vector<StageTime> times = chunk_times(chunks, layout.schedule);
    const double waiting = job_.framework.blocking_transfers.value;
    const auto passes = static_cast<int>(count);
    waits =
        replay_.time(times, hops, layout, passes, waiting, load) - replay_.time(times, hops, layout, passes, waiting);
  }
  parts.input = waits + std::max(Seconds(), load * count - parts.total() - waits);
}

void LayoutJudge::State::set_flops(StepPrediction& step, const Layout& layout) const {
  const auto samples = static_cast<double>(job_.batch);
  step.model_flops = training_flops_ * samples;
  step.hardware_flops = executed_flops_ * samples;
  step.hardware_flops += recomputed_flops_ * (samples * share_of_blocks(layout.recompute));
  if (layout.recompute == Recompute::selective) step.hardware_flops += core_flops_ * samples;
  if (layout.recompute == Recompute::operators) step.hardware_flops += operators_flops_ * samples;
}

StepPrediction LayoutJudge::State::predict(const Layout& layout) {
  const std::vector<StageWork> chunks = chunks_of(plan_for(layout), layout), stages = stages_of(chunks, layout);
  const auto count = static_cast<double>(microbatches(layout, job_.batch));
  StepPrediction step;
  step.microbatches = static_cast<int>(count);
  const std::vector<PipelineHop> hops = hops_between_stages(chunks, layout);
  const WholeExchange tied = tied_exchange(layout);
  step.parts = time_of_replica(chunks, stages, layout, count, hops, tied.time);
  add_exchanged(step, tied.sent * 2.0, layout);
  for (const StageWork& stage : stages) {
    const StateExchange exchange = exchange_states(stage, layout);
    step.parts.exposed_dp = std::max(step.parts.exposed_dp, exchange.exposed);
    step.comm_dp = std::max(step.comm_dp, exchange.gradients + exchange.parameters);
    add_sent(step, stage, count, layout);
    add_exchanged(step, exchange.sent, layout);
    const OuterExchange outer = exchange_between_islands(stage, layout);
    step.parts.exposed_outer = std::max(step.parts.exposed_outer, outer.time());
    add_exchanged(step, outer.sent(), layout);
  }
  const UpdateTime update = update_of_step(chunks, stages, hops, layout);
  step.parts.optimizer = update.working, step.parts.gaps += update.waiting;
  set_sent(step, chunks, count, layout);
  add_stragglers(step.parts, layout);
  add_input(step.parts, chunks, hops, count, layout);
  set_flops(step, layout);
  step.memory = fullest(chunks, stages, layout);
  return step;
}

StagePrice LayoutJudge::State::price_of_stage(const std::vector<StageWork>& chunks, std::size_t stage,
                                              const Layout& layout) const {
  StagePrice whole;
  for (std::size_t at = stage; at < chunks.size(); at += static_cast<std::size_t>(layout.pp)) {
    const StageWork& work = chunks[at];
    ChunkPrice price;
    price.forward = work.forward, price.backward_input = work.backward_input;
    price.backward_weights = work.backward_weights, price.recompute = work.recompute;
    price.tensor_forward = work.tensor_forward, price.tensor_backward = work.tensor_backward;
    price.tensor_recompute = work.tensor_recompute;
    price.context_forward = work.context_forward;
    price.context_backward = work.context_backward + work.context_recompute;
    price.late = work.late, price.late_back = work.late_back;
    price.expert_forward = work.expert_forward;
    price.expert_backward = work.expert_backward + work.expert_recompute;
    price.boundary = bytes_in_memory(job_.precision) * (work.boundary_numbers / layout.tp);
    price.returned = work.returned;
    price.parameters = work.parameters, price.expert_parameters = work.expert_parameters;
    price.tensor_sent = work.tensor_sent, price.context_sent = work.context_sent;
    price.expert_sent = work.expert_sent;
    whole.chunks.push_back(price);
  }
  return whole;
}

void add_exchange(LayoutPrices& prices, const StateExchange& exchange, const Layout& layout) {
  prices.gradient_exposed = std::max(prices.gradient_exposed, exchange.exposed);
  prices.exchange_exposed = std::max(prices.exchange_exposed, exchange.exchange_exposed);
  if (layout.pp == 1) {
    prices.states_forward = exchange.forward, prices.states_backward = exchange.backward;
    prices.states_summed = exchange.summed;
  }
  if (exchange.cost.total() < prices.gradient_exchange.total()) return;
  prices.gradient_exchange = exchange.cost, prices.summed_at_once = exchange.summed_at_once;
}

LayoutPrices LayoutJudge::State::prices(const Layout& layout) {
  const ChunkPlan& plan = plan_for(layout);
  const std::vector<StageWork> chunks = chunks_of(plan, layout), stages = stages_of(chunks, layout);
  LayoutPrices prices;
  prices.transfers = totals_of(hops_between_stages(chunks, layout));
  prices.tied_exchange = tied_exchange(layout);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    StagePrice stage = price_of_stage(chunks, i, layout);
    stage.optimizer = optimizer_time(stages[i], layout).total();
    stage.layers = layers_of(static_cast<int>(i), plan, layout);
    const StateExchange exchange = exchange_states(stages[i], layout);
    stage.gradient_exchange = exchange.cost, stage.summed_at_once = exchange.summed_at_once;
    add_exchange(prices, exchange, layout);
    stage.outer = exchange_between_islands(stages[i], layout);
    if (stage.outer.time() > prices.outer.time()) prices.outer = stage.outer;
    prices.stages.push_back(std::move(stage));
  }
  return prices;
}

}  // namespace orrery
