#include "analysis/cli/dump.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/cost/describe.hpp"
#include "scenarios/data_transfer.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::size_t index_of(const Scenario& scenario, const std::string& name) {
  if (name.empty()) return 0;
  std::vector<std::string> names;
  for (const StrategySpec& strategy : scenario.strategies) names.push_back(strategy.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UsageError(fmt::format("orrery run: unknown strategy \"{}\" ({})", name, did_you_mean(name, names)));
  return static_cast<std::size_t>(found - names.begin());
}

std::string dump_platform(const Platform& platform) {
  std::string text = fmt::format("{} hosts, {} links, {} leaves\n", platform.hosts.size(), platform.links.size(),
                                 platform.zones.size());
  for (const PlatformHost& host : platform.hosts) text += fmt::format("host {} on node {}\n", host.name, host.node);
  for (const PlatformLink& link : platform.links) {
    text += fmt::format("link {}: {} GB/s, {} us, {}\n", link.name, number_text(link.bandwidth.value() / giga),
                        number_text(link.latency.value() / micro), name_of(link.scope));
  }
  return text;
}

std::string dump_cluster(const Scenario& scenario, const StrategySpec& strategy) {
  if (strategy.kind == StrategyKind::federated)
    return dump_platform(build_federation(describe_federation(scenario.federation)).platform);
  return dump_platform(build_cluster(strategy.cluster.description).platform);
}

std::string dump_program(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue) {
  if (strategy.kind == StrategyKind::federated) {
    throw UsageError(
        "orrery run: a federated strategy has no program (its coordinator decides while it runs) - try --dump records");
  }
  const CostModel cost = cost_model(scenario, strategy, catalogue);
  const Cluster cluster = build_cluster(strategy.cluster.description);
  return dump(make_plan({scenario, strategy, cost, cluster}).program);
}

}  // namespace

std::string dump_stage(const std::string& stage, const Scenario& scenario, const std::string& name,
                       const Catalogue& catalogue) {
  const std::vector<std::string> stages = {"scenario", "workload", "cluster", "program", "records"};
  const std::size_t index = index_of(scenario, name);
  const StrategySpec& strategy = scenario.strategies[index];
  if (stage == "scenario") return resolved_toml(scenario);
  if (stage == "workload") return describe(scenario.workload.network);
  if (stage == "cluster") return dump_cluster(scenario, strategy);
  if (stage == "program") return dump_program(scenario, strategy, catalogue);
  if (stage == "records") {
    const Way way = simulate_way(scenario, index, catalogue, {scenario.engine, {}});
    return way.status == WayStatus::ok ? dump(way.records) : way.error + "\n";
  }
  throw UsageError(fmt::format("orrery run: unknown stage \"{}\" ({})", stage, did_you_mean(stage, stages)));
}

}  // namespace orrery
