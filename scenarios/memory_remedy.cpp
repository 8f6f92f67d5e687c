#include "scenarios/memory_remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "scenarios/way.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// What was changed of the first to get the second.
std::vector<std::string> changes(const Layout& from, const Layout& to) {
  std::vector<std::string> keys;
  if (to.tp != from.tp) keys.push_back(fmt::format("tp {}", to.tp));
  if (to.pp != from.pp) keys.push_back(fmt::format("pp {}", to.pp));
  if (to.dp != from.dp) keys.push_back(fmt::format("dp {}", to.dp));
  if (to.ep != from.ep) keys.push_back(fmt::format("ep {}", to.ep));
  if (to.zero_stage != from.zero_stage) keys.push_back(fmt::format("zero_stage {}", to.zero_stage));
  if (to.recompute != from.recompute) keys.push_back(fmt::format("recompute {}", name_of(to.recompute)));
  if (to.microbatch != from.microbatch) keys.push_back(fmt::format("microbatch {}", to.microbatch));
  if (to.schedule != from.schedule) keys.push_back(fmt::format("schedule {}", name_of(to.schedule)));
  return keys;
}

/// Its own, and for gpipe 1f1b, under which no stage keeps more micro-batches than there are stages.
std::vector<PipelineSchedule> smaller_schedules(const Layout& layout) {
  std::vector<PipelineSchedule> all = {layout.schedule};
  if (layout.pp > 1 && layout.schedule == PipelineSchedule::gpipe) all.push_back(PipelineSchedule::one_f_one_b);
  return all;
}

/// Its own, and larger ones that divide the experts and the ranks that they are dealt to.
std::vector<int> larger_expert_degrees(const Layout& layout, std::int64_t experts) {
  std::vector<int> all = {layout.ep};
  const int ranks = expert_ranks_in_step(layout);
  for (int ep = layout.ep + 1; ep <= std::min<std::int64_t>(experts, ranks); ++ep) {
    if (experts % ep == 0 && ranks % ep == 0) all.push_back(ep);
  }
  return all;
}

/// Those of the same degrees but ep that need less memory, the layout itself among them.
std::vector<Layout> smaller_layouts(const Layout& layout, std::int64_t experts) {
  std::vector<Layout> all;
  for (const int stage : {layout.zero_stage, 1, 3}) {
    const bool is_as_full = stage == 3 && layout.pp > 1;  // in a pipeline 3 keeps as much as 1
    if (stage < layout.zero_stage || (is_as_full && stage != layout.zero_stage)) continue;
    for (const Recompute recompute : {layout.recompute, Recompute::selective, Recompute::full}) {
      if (recompute < layout.recompute) continue;
      for (const std::int64_t samples : {layout.microbatch, std::int64_t{1}}) {
        for (const PipelineSchedule schedule : smaller_schedules(layout)) {
          for (const int ep : larger_expert_degrees(layout, experts)) {
            all.push_back(layout);
            all.back().zero_stage = stage, all.back().recompute = recompute, all.back().microbatch = samples;
            all.back().schedule = schedule, all.back().ep = ep;
          }
        }
      }
    }
  }
  return all;
}

/// Layouts of the same devices whose replicas take `times` as many, further split by tp, within a node, or by
/// pp, or by both.
std::vector<Layout> larger_replicas(const Layout& layout, int times, int devices_per_node) {
  std::vector<Layout> all;
  for (int of_tp = 1; of_tp <= times; ++of_tp) {
    if (times % of_tp != 0 || (of_tp > 1 && layout.tp * of_tp > devices_per_node)) continue;
    all.push_back(layout);
    all.back().tp *= of_tp, all.back().pp *= times / of_tp, all.back().dp /= times;
  }
  return all;
}

class LayoutRemedy {
 public:
  explicit LayoutRemedy(const Job& job)
      : judge_(training_job(job.scenario, job.strategy)), layout_(job.strategy.hybrid.layout) {
    for (const Layer& layer : judge_.job().network.layers) experts_ = std::max(experts_, layer.experts);
  }

  /// Degrees stay as they are where that can be; else replicas grow no further than they must.
  std::string find() {
    consider(layout_);
    for (int times = 2; times <= layout_.dp && !best_; ++times) {
      if (layout_.dp % times != 0) continue;
      for (const Layout& other : larger_replicas(layout_, times, judge_.job().cluster.devices_per_node))
        consider(other);
    }
    return join(keys_, ", ");
  }

 private:
  void consider(const Layout& layout) {
    for (const Layout& other : smaller_layouts(layout, experts_)) {
      if (!judge_.obstacles(other).empty()) continue;
      const LayoutMemory memory = judge_.memory(other);
      if (memory.peak() > judge_.job().cluster.group(memory.group).device.memory) continue;
      std::vector<std::string> changed = changes(layout_, other);
      const std::tuple rank{changed.size(), judge_.predict(other).time()};
      if (best_ && *best_ <= rank) continue;
      best_ = rank, keys_ = std::move(changed);
    }
  }

  LayoutJudge judge_;
  const Layout& layout_;
  std::int64_t experts_ = 0;
  std::optional<std::tuple<std::size_t, Seconds>> best_;
  std::vector<std::string> keys_;
};

/// Whether the fullest device of this strategy holds it.
bool fits(const Job& job, const StrategySpec& strategy) {
  try {
    const Plan plan = make_plan({job.scenario, strategy, job.cost, job.cluster});
    return plan.memory.peak() <= job.cluster.device(plan.placement[plan.fullest.index()]).memory;
  } catch (const Infeasible&) {
    return false;
  }
}

std::string remedy_of_plan(const Job& job) {
  StrategySpec other = job.strategy;
  other.recompute = Recompute::full;
  if (fits(job, other)) return "recompute full";
  using enum StrategyKind;
  if (other.kind != single && other.kind != data && other.kind != model) return {};
  constexpr int most = 64;
  const std::int64_t each = other.kind == data ? other.devices : 1;
  for (const Recompute recompute : {job.strategy.recompute, Recompute::full}) {
    other.recompute = recompute;
    for (other.accumulation = 2; other.accumulation <= most; other.accumulation *= 2) {
      if (job.scenario.workload.batch % (each * other.accumulation) != 0 || !fits(job, other)) continue;
      const std::string again = recompute == job.strategy.recompute ? "" : ", recompute full";
      return fmt::format("accumulation {}{}", other.accumulation, again);
    }
  }
  return {};
}

}  // namespace

std::string memory_remedy(const Job& job) {
  return job.strategy.kind == StrategyKind::hybrid ? LayoutRemedy(job).find() : remedy_of_plan(job);
}

}  // namespace orrery
