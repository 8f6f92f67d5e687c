#include "analysis/cli/dump.hpp"

#include <fmt/format.h>

#include "models/cost/describe.hpp"
#include "scenarios/client_population.hpp"
#include "scenarios/plan.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

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

std::string dump_line(const std::string& name, const AccessLine& line) {
  return fmt::format("{}: {} GB/s up, {} GB/s down, {} us\n", name, number_text(line.up.value() / giga),
                     number_text(line.down.value() / giga), number_text(line.latency.value() / micro));
}

/// Every client as it was drawn, and the server.
std::string dump_population(const Population& population) {
  const std::vector<AccessLine> lines = access_lines(population);
  std::string text = fmt::format("{} clients in {} groups\n", population.clients.size(), population.groups.size());
  for (std::size_t client = 0; client < population.clients.size(); ++client) {
    text += dump_line(fmt::format("client {} of group {}, {} over {}, {} times slower", client,
                                  population.clients[client].group, population.group(client).device.id,
                                  population.group(client).link.id, population.clients[client].slowdown),
                      lines[client]);
  }
  return text +
         dump_line(fmt::format("server, {} over {}", population.server.id, population.server_link.id), lines.back());
}

std::string dump_cluster(const Scenario& scenario, const StrategySpec& strategy) {
  if (is_cosimulated(strategy.kind)) return dump_population(client_population(scenario, strategy, scenario.seed));
  return dump_platform(build_cluster(strategy.cluster.description).platform);
}

std::string dump_run(const FederatedRun& run) {
  std::string text;
  for (const Trip& trip : run.trips) {
    text += fmt::format("step {} client {} {} begin {} end {} download {} compute {} upload {} offline {} waiting {} ",
                        trip.round, trip.client, name_of(trip.how), number_text(trip.begin.value()),
                        number_text(trip.end.value()), number_text(trip.download.value()),
                        number_text(trip.compute.value()), number_text(trip.upload.value()),
                        number_text(trip.offline.value()), number_text(trip.waiting.value()));
    text += fmt::format("down {} up {}\n", number_text(trip.down.value()), number_text(trip.up.value()));
  }
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    text += fmt::format("step {} begin {} end {} aggregation {}\n", step, number_text(run.steps[step].begin.value()),
                        number_text(run.steps[step].end.value()), number_text(run.steps[step].aggregation.value()));
  }
  return text;
}

std::string dump_program(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue) {
  if (is_cosimulated(strategy.kind)) {
    throw UsageError(fmt::format(
        "orrery run: {} has no program (its coordinator decides while it runs) - try --dump records", strategy.name));
  }
  const CostModel cost = cost_model(scenario, strategy, catalogue);
  const Cluster cluster = build_cluster(strategy.cluster.description);
  return dump(make_plan({scenario, strategy, cost, cluster}).program);
}

}  // namespace

std::string dump_stage(const std::string& stage, const Scenario& scenario, std::size_t index,
                       const Catalogue& catalogue) {
  const std::vector<std::string> stages = {"scenario", "workload", "cluster", "program", "records"};
  const StrategySpec& strategy = scenario.strategies[index];
  if (stage == "scenario") return resolved_toml(scenario);
  if (stage == "workload") return describe(scenario.workload.network);
  if (stage == "cluster") return dump_cluster(scenario, strategy);
  if (stage == "program") return dump_program(scenario, strategy, catalogue);
  if (stage == "records") {
    const Way way = simulate_way(scenario, index, catalogue, {scenario.engine, {}});
    if (way.status != WayStatus::ok) return way.error + "\n";
    return is_cosimulated(strategy.kind) ? dump_run(way.federated) : dump(way.records);
  }
  throw UsageError(fmt::format("orrery run: unknown stage \"{}\" ({})", stage, did_you_mean(stage, stages)));
}

}  // namespace orrery
