#include "models/layouts/mixed_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/layouts/share_out.hpp"

namespace orrery {
namespace {

constexpr Seconds StageWork::*times_of_work[] = {
    &StageWork::forward,           &StageWork::backward_input,        &StageWork::backward_weights,
    &StageWork::recompute,         &StageWork::tensor_forward,        &StageWork::tensor_backward,
    &StageWork::tensor_recompute,  &StageWork::context_forward,       &StageWork::context_backward,
    &StageWork::context_recompute, &StageWork::expert_forward,        &StageWork::expert_backward,
    &StageWork::expert_recompute,  &StageWork::tensor_hidden,         &StageWork::tensor_hidden_backward,
    &StageWork::expert_hidden,     &StageWork::expert_hidden_backward};

Seconds passes_of(const StageWork& work) {
  return work.forward + work.backward_input + work.backward_weights;
}

/// The same work on devices that wait for each other in every layer; gaps are those of the slower one. Each has a host
/// of its own, and none goes on before the last of them.
void slow_down_to(StageWork& work, const StageWork& other) {
  if (passes_of(other) > passes_of(work)) work.gaps = other.gaps;
  work.lead = std::min(work.lead, other.lead);
  const Seconds forward = std::max(work.forward_time(), other.forward_time());
  const Seconds backward = std::max(work.backward_time(), other.backward_time());
  for (const auto time : times_of_work) work.*time = std::max(work.*time, other.*time);
  work.late = work.late_back = Seconds();
  work.late = std::max(Seconds(), forward - work.forward_time());
  work.late_back = std::max(Seconds(), backward - work.backward_time());
}

}  // namespace

LayoutJudge::MixedState::MixedState(const TrainingJob& job) : job_(job) {
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    kinds_.push_back(std::make_unique<State>(job_on_group(job, group)));
  }
}

LayoutJudge::MixedState::Replicas LayoutJudge::MixedState::replicas_on(const std::vector<NodeKinds>& kinds,
                                                                       const State::ChunkPlan& plan,
                                                                       const Layout& layout) {
  Replicas replicas;
  replicas.kinds = kinds;
  NodeKinds all;
  for (const NodeKinds& stage : kinds) all = joined(all, stage);
  for (const std::size_t kind : all) {
    const std::vector<StageWork> chunks = kinds_[kind]->chunks_of(plan, layout);
    if (replicas.chunks.empty()) replicas.chunks.resize(chunks.size());
    for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
      const NodeKinds& here = kinds[chunk % kinds.size()];
      if (kind == here.front()) replicas.chunks[chunk] = chunks[chunk];
      const bool is_further = kind != here.front() && std::binary_search(here.begin(), here.end(), kind);
      if (is_further) slow_down_to(replicas.chunks[chunk], chunks[chunk]);
    }
  }
  replicas.stages = State::stages_of(replicas.chunks, layout);
  for (const std::size_t kind : all) {
    const std::vector<PipelineHop> hops = kinds_[kind]->hops_between_stages(replicas.chunks, layout);
    replicas.hops.resize(hops.size());
    for (std::size_t stage = 0; stage < hops.size(); ++stage) {
      const NodeKinds ends = joined(kinds[stage], kinds[(stage + 1) % kinds.size()]);
      const bool is_slower = hops[stage].total() > replicas.hops[stage].total();
      if (std::binary_search(ends.begin(), ends.end(), kind) && is_slower) replicas.hops[stage] = hops[stage];
    }
  }
  return replicas;
}

StepParts LayoutJudge::MixedState::time_of(const Replicas& replicas, const Layout& layout, std::int64_t count,
                                           Seconds tied) const {
  return kinds_.front()->time_of_replica(replicas.chunks, replicas.stages, layout, static_cast<double>(count),
                                         replicas.hops, tied);
}

void LayoutJudge::MixedState::share_out_batch(Spread& spread, const Layout& layout) const {
  const std::int64_t each = microbatches(layout, job_.batch);
  const auto replicas = static_cast<std::size_t>(layout.dp);
  spread.microbatches.assign(replicas, each);
  if (layout.balance == Balance::speed && spread.places.replicas_differ()) {
    // Interleaved schedules work on runs of pp micro-batches.
    const std::int64_t run = layout.pp > 1 && layout.interleave > 1 ? layout.pp : 1;
    const std::int64_t runs = each / run;
    std::vector<Pace> kinds;
    for (const Replicas& alike : spread.alike) {
      // Around the mean: a pipeline that is not full yet has another pace.
      const Seconds mean = time_of(alike, layout, each, spread.tied).total();
      const Seconds more = time_of(alike, layout, each + run, spread.tied).total() - mean;
      kinds.push_back({mean - more * static_cast<double>(runs), more});
    }
    std::vector<Pace> paces;
    for (const std::size_t kind : spread.places.kind_of_replica) paces.push_back(kinds[kind]);
    spread.microbatches = share_out(paces, runs * layout.dp);
    for (std::int64_t& count : spread.microbatches) count *= run;
  }
  for (std::size_t replica = 0; replica < replicas; ++replica) {
    Replicas& alike = spread.alike[spread.places.kind_of_replica[replica]];
    alike.microbatches += spread.microbatches[replica];
    alike.most = std::max(alike.most, spread.microbatches[replica]);
  }
}

void LayoutJudge::MixedState::find_slowest(Spread& spread, const Layout& layout) const {
  for (std::size_t kind = 0; kind < spread.alike.size(); ++kind) {
    Replicas& alike = spread.alike[kind];
    const StepParts time = time_of(alike, layout, alike.most, spread.tied);
    alike.done = time.total();
    if (kind > 0 && alike.done <= spread.time.total()) continue;
    spread.time = time;
    spread.slowest = kind;
  }
}

LayoutJudge::MixedState::Spread LayoutJudge::MixedState::spread_of(const ReplicaPlaces& places,
                                                                   const State::ChunkPlan& plan, const Layout& layout) {
  Spread spread;
  spread.places = places;
  spread.plan = plan;
  for (const std::vector<NodeKinds>& kinds : spread.places.kinds) {
    spread.alike.push_back(replicas_on(kinds, spread.plan, layout));
    for (const std::size_t kind : joined(kinds.front(), kinds.back())) {
      spread.tied = std::max(spread.tied, kinds_[kind]->tied_exchange(layout));
    }
  }
  share_out_batch(spread, layout);
  find_slowest(spread, layout);
  return spread;
}

/// By speed, unless whole blocks and micro-batches, or what the cut leaves out (messages, exchanges), make equal shares
/// the faster ones.
LayoutJudge::MixedState::Spread LayoutJudge::MixedState::spread(const Layout& layout) {
  const ReplicaPlaces places = places_of_replicas(layout, job_.cluster);
  Spread best = spread_of(places, plan_for(places, layout), layout);
  if (layout.balance == Balance::equal) return best;
  Layout equal = layout;
  equal.balance = Balance::equal;
  Seconds least = step_of(best, layout).time();
  for (const Layout& batch : {layout, equal}) {
    Spread other = spread_of(places, plan_for(places, equal), batch);
    const Seconds time = step_of(other, layout).time();
    if (time < least) best = std::move(other), least = time;
  }
  return best;
}

LayoutJudge::MixedState::Exchange LayoutJudge::MixedState::exchange_of(const Spread& spread, std::size_t stage,
                                                                       const Layout& layout) const {
  Exchange longest;
  const auto whole = [](const StateExchange& states) { return states.gradients + states.parameters; };
  const NodeKinds kinds = spread.places.of_stage(stage);
  for (const std::size_t kind : kinds) {
    const StateExchange states = kinds_[kind]->exchange_states(spread.alike[spread.slowest].stages[stage], layout);
    if (kind == kinds.front() || whole(states) > whole(longest.states)) longest = {states, kind};
  }
  if (exchanges_with_microbatches(layout)) return longest;
  const Seconds others = longest.states.exposed - longest.states.exchange_exposed;
  longest.states.exposed = shown_by_last(spread, stage, longest.group, layout);
  longest.states.exchange_exposed = std::max(Seconds(), longest.states.exposed - others);
  return longest;
}

/// Nothing can be summed before all have their gradients: a replica of fast devices that is done shortly before the
/// last one has a shorter pass to hide the exchange behind.
Seconds LayoutJudge::MixedState::shown_by_last(const Spread& spread, std::size_t stage, std::size_t group,
                                               const Layout& layout) const {
  Seconds most;
  for (const Replicas& alike : spread.alike) {
    const Seconds shown = kinds_[group]->exchange_states(alike.stages[stage], layout).exposed;
    most = std::max(most, alike.done + shown - spread.alike[spread.slowest].done);
  }
  return most;
}

/// Islands stand on the first group of nodes alone (layout_obstacles).
OuterExchange LayoutJudge::MixedState::outer_of(const Spread& spread, std::size_t stage, const Layout& layout) const {
  return kinds_.front()->exchange_between_islands(spread.alike.front().stages[stage], layout);
}

UpdateTime LayoutJudge::MixedState::optimizer_of(const Replicas& replicas, std::size_t stage,
                                                 const Layout& layout) const {
  UpdateTime most;
  for (const std::size_t kind : replicas.kinds[stage]) {
    most = longer(most, kinds_[kind]->optimizer_time(replicas.stages[stage], layout));
  }
  return most;
}

LayoutMemory LayoutJudge::MixedState::fullest(const Spread& spread, const Layout& layout) const {
  LayoutMemory fullest;
  double most = -1;
  for (const Replicas& replicas : spread.alike) {
    for (int stage = 0; stage < layout.pp; ++stage) {
      for (const std::size_t kind : replicas.kinds[static_cast<std::size_t>(stage)]) {
        LayoutMemory memory = kinds_[kind]->stage_memory(replicas.chunks, replicas.stages, stage,
                                                         static_cast<double>(replicas.most), layout);
        memory.group = kind;
        const double filled = memory.peak() / job_.cluster.group(kind).device.memory;
        if (filled > most) fullest = memory, most = filled;
      }
    }
  }
  return fullest;
}

StepPrediction LayoutJudge::MixedState::predict(const Layout& layout) {
  return step_of(spread(layout), layout);
}

StepPrediction LayoutJudge::MixedState::step_of(const Spread& spread, const Layout& layout) const {
  const State& first = *kinds_.front();
  const Replicas& slowest = spread.alike[spread.slowest];
  StepPrediction step;
  step.parts = spread.time;
  step.microbatches = static_cast<int>(microbatches(layout, job_.batch));
  const auto replicas = static_cast<double>(layout.dp);
  UpdateTime update;
  for (std::size_t stage = 0; stage < slowest.stages.size(); ++stage) {
    const Exchange exchange = exchange_of(spread, stage, layout);
    step.parts.exposed_dp = std::max(step.parts.exposed_dp, exchange.states.exposed);
    step.comm_dp = std::max(step.comm_dp, exchange.states.gradients + exchange.states.parameters);
    for (const Replicas& alike : spread.alike) {
      update = longer(update, optimizer_of(alike, stage, layout));
      first.add_sent(step, alike.stages[stage], static_cast<double>(alike.microbatches) / replicas, layout);
    }
    first.add_exchanged(step, exchange.states.sent, layout);
    const OuterExchange outer = outer_of(spread, stage, layout);
    step.parts.exposed_outer = std::max(step.parts.exposed_outer, outer.time());
    first.add_exchanged(step, outer.sent(), layout);
  }
  step.parts.optimizer = update.working, step.parts.gaps += update.waiting;
  first.add_messages(step, slowest.chunks, static_cast<double>(step.microbatches), layout);
  first.add_stragglers(step.parts, layout);
  first.add_input(step.parts, slowest.stages, static_cast<double>(step.microbatches), layout);
  first.set_flops(step, layout);
  step.memory = fullest(spread, layout);
  return step;
}

LayoutMemory LayoutJudge::MixedState::memory(const Layout& layout) {
  return fullest(spread(layout), layout);
}

std::string LayoutJudge::MixedState::names_of(const NodeKinds& kinds) const {
  std::string names;
  for (const std::size_t kind : kinds) names += (names.empty() ? "" : " and ") + job_.cluster.group(kind).device.id;
  return names;
}

std::string LayoutJudge::MixedState::devices_of(const std::vector<NodeKinds>& stages) const {
  std::string text;
  for (std::size_t stage = 0; stage < stages.size();) {
    std::size_t end = stage;
    while (end < stages.size() && stages[end] == stages[stage]) ++end;
    if (end - stage == stages.size()) return names_of(stages[stage]);
    text += fmt::format("{}{} ({} stage{})", text.empty() ? "" : ", ", names_of(stages[stage]), end - stage,
                        end - stage == 1 ? "" : "s");
    stage = end;
  }
  return text;
}

LayoutPrices LayoutJudge::MixedState::prices(const Layout& layout) {
  const Spread spread = this->spread(layout);
  LayoutPrices prices;
  prices.tied_exchange = spread.tied;
  std::vector<Exchange> exchanges;
  for (int stage = 0; stage < layout.pp; ++stage) {
    exchanges.push_back(exchange_of(spread, static_cast<std::size_t>(stage), layout));
    add_exchange(prices, exchanges.back().states, layout);
  }
  for (const Replicas& alike : spread.alike) {
    ReplicaKind kind{{}, totals_of(alike.hops), devices_of(alike.kinds)};
    for (std::size_t stage = 0; stage < alike.stages.size(); ++stage) {
      StagePrice price = kinds_.front()->price_of_stage(alike.chunks, stage, layout);
      price.optimizer = optimizer_of(alike, stage, layout).total();
      price.devices = names_of(alike.kinds[stage]);
      price.layers = kinds_.front()->layers_of(static_cast<int>(stage), spread.plan, layout);
      price.gradient_exchange = exchanges[stage].states.cost, price.exchange_group = exchanges[stage].group;
      price.outer = outer_of(spread, stage, layout);
      if (price.outer.time() > prices.outer.time()) prices.outer = price.outer;
      kind.stages.push_back(std::move(price));
    }
    prices.kinds.push_back(std::move(kind));
  }
  prices.stages = prices.kinds[spread.slowest].stages;
  prices.transfers = prices.kinds[spread.slowest].transfers;
  prices.kind_of_replica = spread.places.kind_of_replica;
  prices.microbatches_of_replica = spread.microbatches;
  return prices;
}

}  // namespace orrery
