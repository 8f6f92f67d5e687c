// How a batch is shared out over replicas on nodes of several kinds, and which of them is done last.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "models/layouts/mixed_state.hpp"
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
      const Seconds mean = time_of(alike, layout, each, spread.tied.time).total();
      const Seconds more = time_of(alike, layout, each + run, spread.tied.time).total() - mean;
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
    const StepParts time = time_of(alike, layout, alike.most, spread.tied.time);
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
      const WholeExchange tied = kinds_[kind]->tied_exchange(layout);
      if (tied.time > spread.tied.time) spread.tied = tied;
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

}  // namespace orrery
