#include "models/layouts/mixed_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orrery {

LayoutJudge::MixedState::MixedState(const TrainingJob& job) : job_(job) {
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    kinds_.push_back(std::make_unique<State>(job_on_group(job, group)));
  }
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
  State& first = *kinds_.front();
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
  first.add_exchanged(step, spread.tied.sent * 2.0, layout);
  first.set_sent(step, slowest.chunks, static_cast<double>(step.microbatches), layout);
  first.add_stragglers(step.parts, layout);
  first.add_input(step.parts, slowest.chunks, slowest.hops, static_cast<double>(step.microbatches), layout);
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
      price.summed_at_once = exchanges[stage].states.summed_at_once;
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
