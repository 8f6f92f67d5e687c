#include "scenarios/memory_remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
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
  if (to.zero_stage != from.zero_stage) keys.push_back(fmt::format("zero_stage {}", to.zero_stage));
  if (to.recompute != from.recompute) keys.push_back(fmt::format("recompute {}", name_of(to.recompute)));
  if (to.microbatch != from.microbatch) keys.push_back(fmt::format("microbatch {}", to.microbatch));
  return keys;
}

/// Those that need less memory, the layout itself among them.
std::vector<Layout> smaller_layouts(const Layout& layout) {
  std::vector<Layout> all;
  for (const int stage : {layout.zero_stage, 1, 3}) {
    if (stage < layout.zero_stage || (stage == 3 && layout.pp > 1)) continue;
    for (const Recompute recompute : {layout.recompute, Recompute::selective, Recompute::full}) {
      if (recompute < layout.recompute) continue;
      for (const std::int64_t samples : {layout.microbatch, std::int64_t{1}}) {
        all.push_back(layout);
        all.back().zero_stage = stage, all.back().recompute = recompute, all.back().microbatch = samples;
      }
    }
  }
  return all;
}

std::string remedy_of_layout(const Job& job) {
  LayoutJudge judge(training_job(job.scenario, job.strategy));
  const Layout& layout = job.strategy.hybrid.layout;
  std::optional<std::tuple<std::size_t, Seconds>> best;
  std::vector<std::string> keys;
  for (const Layout& other : smaller_layouts(layout)) {
    if (!judge.obstacles(other).empty()) continue;
    const StepPrediction step = judge.predict(other);
    if (!step.fits(judge.job().cluster)) continue;
    std::vector<std::string> changed = changes(layout, other);
    const std::tuple rank{changed.size(), step.time()};
    if (best && *best <= rank) continue;
    best = rank, keys = std::move(changed);
  }
  return join(keys, ", ");
}

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
  return job.strategy.kind == StrategyKind::hybrid ? remedy_of_layout(job) : remedy_of_plan(job);
}

}  // namespace orrery
