#include "scenarios/pricing_constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string range_text(const Ranged& range) {
  if (range.low == range.high) return number_text(range.value);
  return fmt::format("{} ({} to {})", number_text(range.value), number_text(range.low), number_text(range.high));
}

template <class Law, class Constants>
void add_constants(const std::string& of, const Law& law, const Constants& constants, std::vector<ConstantSet>& sets) {
  ConstantSet set{of, {}};
  for (const auto& constant : constants) {
    set.lines.push_back(fmt::format("{} = {}: {}", constant.name, range_text(law.*constant.member), constant.meaning));
  }
  if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(std::move(set));
}

/// Of nodes of one kind.
void add_laws(const TrainingJob& job, StrategyKind kind, std::vector<ConstantSet>& sets) {
  add_constants("device " + job.cluster.device.id, job.device_law, device_constants(), sets);
  if (kind != StrategyKind::hybrid) return;  // the simulation moves their bytes
  if (job.cluster.node_link) add_constants("node link " + job.node_law.link, job.node_law, fabric_constants(), sets);
  if (job.cluster.network_link) {
    add_constants("network link " + job.network_law.link, job.network_law, fabric_constants(), sets);
  }
}

}  // namespace

std::vector<ConstantSet> pricing_constants(const Scenario& scenario, const StrategySpec& strategy) {
  if (priced_by(scenario, strategy.kind) != ComputeChoice::operators) return {};
  const TrainingJob job = training_job(scenario, strategy);
  std::vector<ConstantSet> sets;
  add_constants("framework " + job.framework.id, job.framework, framework_constants(), sets);
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    add_laws(job_on_group(job, group), strategy.kind, sets);
  }
  return sets;
}

}  // namespace orrery
