#include "scenarios/strategies/layer_work.hpp"

#include <algorithm>
#include <cstddef>

#include "models/cost/attention_operators.hpp"
#include "models/networks/segments.hpp"

namespace orrery {
namespace {

Flops pass_flops(const LayerCost& cost, Pass pass) {
  switch (pass) {
    case Pass::forward:
      return cost.forward;
    case Pass::backward:
      return cost.backward;
    case Pass::optimizer:
      return Flops{};
  }
  return Flops{};
}

}  // namespace

Work& Work::operator+=(const Work& other) {
  time += other.time, flops += other.flops;
  late += other.late, gaps += other.gaps;
  return *this;
}

Work operator*(const Work& work, double part) {
  return {work.time * part, work.flops * part, work.late * part, work.gaps * part};
}

LayerWork::LayerWork(const Job& job, const Device& device, const DeviceWork& part) {
  const LayerGraph& graph = job.scenario.workload.network;
  const bool has_kernels = priced_by(job.scenario, job.strategy.kind) == ComputeChoice::operators;
  times_ = job.cost.times(graph, device, part);
  if (job.strategy.recompute == Recompute::full) {
    segments_ = recompute_segments(graph);
    again_ = in_segments_with_backward(graph);
  }
  const std::vector<bool> has_backward = needs_gradient(graph);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const LayerCost cost = layer_cost(graph.layers[i]);
    const double share = part.shares.empty() ? 1.0 : part.shares[i].work;
    const double executed = has_kernels ? executed_share(graph.layers[i], job.cost.framework()) : 1.0;
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      const bool is_left_out = pass == Pass::backward && !has_backward[i];
      flops_[index(pass)].push_back(is_left_out ? Flops() : pass_flops(cost, pass) * (part.samples * share * executed));
    }
  }
  pace(all());
}

LayerWork LayerWork::as_process(Span layers) const {
  LayerWork process = *this;
  process.pace(layers);
  return process;
}

/// Recomputation is a part of the backward pass, to whose host it belongs.
void LayerWork::pace(Span process) {
  const std::vector<bool> again = run_again_in(process);
  const ProcessTimes times = process_times(times_, process.first, process.end, again);
  const auto share = [](Seconds late, Seconds device) { return device > Seconds() ? late / device : 0.0; };
  process_ = process;
  late_forward_ = share(times.late_forward, times.forward);
  late_backward_ = share(times.late_backward, times.backward + times.again);
  late_update_ = times.late_update;
}

/// The last segment's activations are still there when the process that has it goes back.
std::vector<bool> LayerWork::run_again_in(Span process) const {
  if (again_.empty()) return {};
  std::vector<bool> again(again_.size(), false);
  const std::size_t end = process.end == again_.size() ? segments_.back() : process.end;
  for (std::size_t i = process.first; i < end; ++i) again[i] = again_[i];
  return again;
}

Work LayerWork::of(Pass pass, Span layers) const {
  Work sum;
  const std::vector<Seconds>&device = times_.of(pass), &launches = orrery::of(times_.launches, pass);
  for (std::size_t i = layers.first; i < layers.end; ++i) {
    sum.time += device[i], sum.flops += flops_[index(pass)][i];
    if (!launches.empty()) sum.gaps += launches[i];
  }
  if (pass == Pass::forward) sum.late = sum.time * late_forward_;
  if (pass == Pass::backward) sum.late = sum.time * late_backward_;
  return sum;
}

Work LayerWork::update() const {
  Work work = of(Pass::optimizer, process_);
  work.time += late_update_, work.gaps += late_update_;
  return work;
}

Work LayerWork::again(Span layers) const {
  Work sum;
  for (std::size_t i = layers.first; i < layers.end && !again_.empty(); ++i) {
    if (!again_[i]) continue;
    sum.time += times_.of(Pass::forward)[i];
    sum.flops += flops_[index(Pass::forward)][i];
  }
  sum.late = sum.time * late_backward_;
  return sum;
}

Seconds LayerWork::round(std::size_t layer) const {
  const auto host = [&](Pass pass) {
    const std::vector<Seconds>& times = orrery::of(times_.host, pass);
    return times.empty() ? Seconds() : times[layer];
  };
  const double again = !again_.empty() && again_[layer] ? 1.0 : 0.0;
  const Seconds forward = times_.of(Pass::forward)[layer], backward = times_.of(Pass::backward)[layer];
  return std::max(forward, host(Pass::forward)) +
         std::max(backward + forward * again, host(Pass::backward) + host(Pass::forward) * again);
}

Flops LayerWork::round_flops(std::size_t layer) const {
  const double again = !again_.empty() && again_[layer] ? 1.0 : 0.0;
  return flops_[index(Pass::forward)][layer] * (1.0 + again) + flops_[index(Pass::backward)][layer];
}

Span LayerWork::met_first_in(Span layers) const {
  if (again_.empty()) return {};
  const std::size_t count = again_.size();
  return {segment_start(layers.first), layers.end < count ? segment_start(layers.end) : segments_.back()};
}

std::size_t LayerWork::segment_start(std::size_t layer) const {
  return *(std::upper_bound(segments_.begin(), segments_.end(), layer) - 1);
}

RankWork::RankWork(const Job& job, const DeviceWork& part) : cluster_(job.cluster.description) {
  for (std::size_t group = 0; group < cluster_.groups(); ++group) {
    by_group_.emplace_back(job, cluster_.group(group).device, part);
  }
}

const LayerWork& RankWork::of(RankId rank) const {
  return by_group_[cluster_.group_of_device(static_cast<std::int64_t>(rank.index()))];
}

}  // namespace orrery
