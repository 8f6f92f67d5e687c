#include "models/layouts/step_prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/cost/cost_model.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/mixed_state.hpp"
#include "models/layouts/obstacles.hpp"

namespace orrery {

TrainingJob job_on_group(const TrainingJob& job, std::size_t group) {
  TrainingJob alone = job;
  const int nodes = job.cluster.all_nodes();
  static_cast<NodeGroup&>(alone.cluster) = job.cluster.group(group);
  alone.cluster.nodes = nodes;
  alone.cluster.more.clear();
  if (group > 0) static_cast<NodeLaws&>(alone) = job.more_laws[group - 1];
  alone.more_laws.clear();
  return alone;
}

Seconds StepParts::total() const {
  return compute + recompute + optimizer + gaps + exposed_dp + exposed_tp + exposed_pp + exposed_cp + exposed_ep +
         exposed_outer + bubble + straggler + input;
}

double StepParts::gap_share() const {
  const Seconds between = gaps - host_waits, busy = compute + recompute + optimizer + between;
  return busy > Seconds() ? between / busy : 0.0;
}

WireBytes OuterExchange::sent() const {
  WireBytes all = across.sent;
  all += shards.sent;
  return all += states.sent;
}

LayoutJudge::LayoutJudge(TrainingJob job) : state_(std::make_unique<State>(std::move(job))) {
  if (!state_->job().cluster.more.empty()) mixed_ = std::make_unique<MixedState>(state_->job());
}
LayoutJudge::~LayoutJudge() = default;

const TrainingJob& LayoutJudge::job() const {
  return state_->job();
}

std::vector<std::string> LayoutJudge::obstacles(const Layout& layout) const {
  return layout_obstacles(state_->job(), state_->sequence(), layout);
}

LayoutPrices LayoutJudge::prices(const Layout& layout) {
  return mixed_ ? mixed_->prices(layout) : state_->prices(layout);
}

LayoutMemory LayoutJudge::memory(const Layout& layout) {
  return mixed_ ? mixed_->memory(layout) : state_->memory(layout);
}

StepPrediction LayoutJudge::predict(const Layout& layout) {
  return mixed_ ? mixed_->predict(layout) : state_->predict(layout);
}

std::vector<LayerPrice> LayoutJudge::layer_prices(const Layout& layout) {
  return state_->layer_prices(layout);
}

namespace {

/// "133 of 80", with as many digits as show that it is more.
std::string more_than(Bytes needed, Bytes capacity) {
  const double needs = needed.value() / gibi, has = capacity.value() / gibi;
  for (int digits = 0; digits < 6; ++digits) {
    const std::string one = fmt::format("{:.{}f}", needs, digits), other = fmt::format("{:.{}f}", has, digits);
    if (one != other) return one + " of " + other;
  }
  return fmt::format("{} of {}", needs, has);
}

}  // namespace

std::string LayoutJudge::memory_obstacle(const LayoutMemory& memory) const {
  const ClusterDescription& cluster = state_->job().cluster;
  const Device& device = cluster.group(memory.group).device;
  const Bytes capacity = device.memory;
  if (memory.peak() <= capacity) return {};
  const std::string where = cluster.more.empty() ? "" : " " + device.id;
  const std::pair<const char*, Bytes> parts[] = {{"activations", memory.states.activations + memory.working},
                                                 {"optimizer state", memory.states.optimizer},
                                                 {"weights", memory.states.weights},
                                                 {"gradients", memory.states.gradients}};
  const auto* largest = std::max_element(std::begin(parts), std::end(parts),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  if (largest->second > capacity) {
    return fmt::format("does not fit{}: {} {} GiB", where, largest->first, more_than(largest->second, capacity));
  }
  return fmt::format("does not fit{}: {} GiB, most of it {} ({:.0f} GiB)", where, more_than(memory.peak(), capacity),
                     largest->first, largest->second.value() / gibi);
}

}  // namespace orrery
