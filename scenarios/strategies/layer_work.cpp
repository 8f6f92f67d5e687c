#include "scenarios/strategies/layer_work.hpp"

#include <algorithm>
#include <cstddef>

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
  time += other.time;
  flops += other.flops;
  return *this;
}

LayerWork::LayerWork(const Job& job, const Device& device, const DeviceWork& part) {
  const LayerGraph& graph = job.scenario.workload.network;
  const std::vector<Layer>& layers = graph.layers;
  const std::vector<bool> has_backward = needs_gradient(graph);
  const LayerTimes times = job.cost.times(graph, device, part);
  if (job.strategy.recompute == Recompute::full) {
    segments_ = recompute_segments(graph);
    again_ = in_segments_with_backward(graph);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double share = part.shares.empty() ? 1.0 : part.shares[i].work;
    const LayerCost cost = layer_cost(layers[i]);
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      if (pass == Pass::backward && !has_backward[i]) {
        work_[index(pass)].emplace_back();
        continue;
      }
      work_[index(pass)].push_back({times.of(pass)[i], pass_flops(cost, pass) * (part.samples * share)});
    }
  }
}

Work LayerWork::of(Pass pass, Span layers) const {
  Work sum;
  for (std::size_t i = layers.first; i < layers.end; ++i) sum += of(pass, i);
  return sum;
}

Work LayerWork::again(Span layers) const {
  Work sum;
  for (std::size_t i = layers.first; i < layers.end && !again_.empty(); ++i) {
    if (again_[i]) sum += of(Pass::forward, i);
  }
  return sum;
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
