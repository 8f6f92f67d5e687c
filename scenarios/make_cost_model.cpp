// The cost model of a strategy: which constants, which measurements, which host.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "models/cost/constants_file.hpp"
#include "models/cost/measured_times.hpp"
#include "models/cost/profile_check.hpp"
#include "scenarios/scenario.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

Device profile_host(const Scenario& scenario, const Catalogue& catalogue, Problems& problems) {
  const std::string& host = scenario.workload.host;
  if (host.ends_with(".csv")) return read_device_file(host, problems).value_or(Device{});
  const Device* device = catalogue.device(host);
  if (device == nullptr) {
    Problem problem;
    problem.key = "workload.profile_host";
    problem.what = "the catalogue has no device \"" + host + "\"";
    problems.add(std::move(problem));
    return {};
  }
  return *device;
}

bool has_rows(const StepProfile& profile, int threads) {
  return std::any_of(profile.rows.begin(), profile.rows.end(),
                     [threads](const ProfileRow& row) { return row.threads == threads; });
}

/// With the rows for several threads derived from those for one where they were not recorded.
StepProfile for_threads(StepProfile profile, const LayerGraph& graph, int threads) {
  const bool derive = !has_rows(profile, threads) && has_rows(profile, 1);
  return derive ? derive_threads(profile, graph, threads) : std::move(profile);
}

DeviceLaws device_laws(const WorkloadSpec& workload) {
  Problems problems;
  DeviceLaws laws = DeviceLaws::read(data_directory() / "topologies" / "catalogue", problems);
  problems.throw_if_any();
  for (const ConstantsFile& file : workload.constants) overlay(file, laws);
  return laws;
}

}  // namespace

std::string_view name_of(ComputeChoice choice) {
  static constexpr std::array<std::string_view, 4> names = {"auto", "operators", "replay", "roofline"};
  return names.at(static_cast<std::size_t>(choice));
}

ComputeChoice priced_by(const Scenario& scenario, StrategyKind kind) {
  const WorkloadSpec& workload = scenario.workload;
  if (kind == StrategyKind::hybrid) return ComputeChoice::operators;
  if (workload.compute != ComputeChoice::automatic) return workload.compute;
  if (!workload.profile.empty()) return ComputeChoice::replay;
  const bool has_federation =
      std::any_of(scenario.strategies.begin(), scenario.strategies.end(),
                  [](const StrategySpec& strategy) { return strategy.kind == StrategyKind::federated; });
  return has_federation ? ComputeChoice::roofline : ComputeChoice::operators;
}

CostModel cost_model(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue) {
  const WorkloadSpec& workload = scenario.workload;
  const OptimizerKind optimizer =
      strategy.kind == StrategyKind::federated ? strategy.optimizer.kind : workload.optimizer.kind;
  const ComputeChoice pricing = priced_by(scenario, strategy.kind);
  if (pricing == ComputeChoice::roofline) return {workload.framework, strategy.precision, optimizer};
  if (pricing == ComputeChoice::operators) {
    return {workload.framework, strategy.precision, optimizer, device_laws(workload)};
  }
  Problems problems;
  StepProfile profile = read_step_profile(workload.profile, problems);
  problems.throw_if_any();
  check_profile(profile, workload.network, workload.profile, problems);
  const Device host = profile_host(scenario, catalogue, problems);
  problems.throw_if_any();
  const int threads = workload.profile_threads;
  profile = for_threads(std::move(profile), workload.network, threads);
  const BatchCut cut = cut_of(profile, workload.network);
  return {workload.framework, strategy.precision, optimizer, profile, host, threads, cut};
}

}  // namespace orrery
