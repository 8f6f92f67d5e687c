// `orrery explain`: every value of a scenario, where it came from, every formula used.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <utility>

#include "analysis/cli/command.hpp"
#include "analysis/cli/explain_constants.hpp"
#include "analysis/cli/explain_federated.hpp"
#include "analysis/cli/inventory.hpp"
#include "analysis/reports/columns.hpp"
#include "models/cost/memory.hpp"
#include "scenarios/way.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string values_section(const Scenario& scenario) {
  std::string text = "Values (and where each came from)\n";
  for (const ResolvedValue& value : scenario.resolved)
    text += fmt::format("  {:<44} {:<28} {}\n", value.path, value.value, value.origin);
  return text;
}

std::string catalogue_section(const Scenario& scenario, const Catalogue& catalogue) {
  std::map<std::string, std::string> shown;  // each row once, in the order of its kind and name
  const auto add = [&](const std::string& kind, const std::string& id) {
    if (!id.empty()) shown.emplace(kind + " " + id, inventory_of(kind, "explain").show(catalogue, id));
  };
  for (const StrategySpec& strategy : scenario.strategies) {
    if (strategy.kind == StrategyKind::federated) {
      add("devices", strategy.federated.edge_device.id);
      add("links", strategy.federated.edge_link.id);
      continue;
    }
    const ClusterDescription& cluster = strategy.cluster.description;
    for (std::size_t group = 0; group < cluster.groups(); ++group) {
      const NodeGroup& nodes = cluster.group(group);
      add("devices", nodes.device.id);
      if (nodes.node_link) add("links", nodes.node_link->id);
      if (nodes.network_link) add("links", nodes.network_link->id);
    }
  }
  for (const ClientGroup& group : scenario.federation.groups) {
    add("devices", group.device.id);
    add("links", group.link.id);
  }
  if (scenario.federation.present) {
    add("devices", scenario.federation.server.id);
    add("links", scenario.federation.server_link.id);
  }
  std::string text = "\nCatalogue rows used\n";
  for (const auto& entry : shown) text += entry.second;
  return text;
}

/// Bytes of a step per parameter, as the strategy is priced: operators have prices of their own for mixed precision and
/// for updates that are not fused (update_bytes()).
std::string update_text(const Scenario& scenario, const StrategySpec& strategy) {
  const FrameworkProfile& framework = scenario.workload.framework;
  const OptimizerKind kind = strategy.optimizer.kind;
  const auto moved = [](double bytes) { return number_text(bytes) + " bytes read and written per parameter"; };
  if (priced_by(scenario, strategy.kind) != ComputeChoice::operators) return moved(optimizer_bytes(framework, kind));
  if (strategy.hybrid.layout.offload == Offload::optimizer) {
    return number_text(framework.offload_ns_per_parameter.value) + " ns per parameter on the host";
  }
  if (framework.host_update_us.value > 0) {
    const UnfusedUpdate update = unfused_update(kind);
    return fmt::format("{} in {} kernels for each tensor", moved(update.bytes), number_text(update.operations));
  }
  return moved(update_bytes(framework, kind, strategy.precision));
}

/// In 16 bits the framework says what the optimizer keeps, where its kernels are priced.
std::string kept_text(const Scenario& scenario, const StrategySpec& strategy) {
  const FrameworkProfile& framework = scenario.workload.framework;
  const OptimizerKind kind = strategy.optimizer.kind;
  const bool by_operators = priced_by(scenario, strategy.kind) == ComputeChoice::operators;
  const BytesPerParameter each = by_operators ? bytes_per_parameter(strategy.precision, kind, framework)
                                              : bytes_per_parameter(strategy.precision, kind);
  const double master = by_operators ? framework.master_bytes.value : 4;
  const std::string copy =
      each.weights < 4 && master > 0 ? fmt::format(", {} of them a copy of the weight", number_text(master)) : "";
  return number_text(each.optimizer) + " bytes kept for each" + copy;
}

std::string optimizer_text(const Scenario& scenario, const StrategySpec& strategy) {
  return update_text(scenario, strategy) + ", " + kept_text(scenario, strategy);
}

/// A line for all strategies that are priced alike; they are named where there are several lines.
std::string optimizer_lines(const Scenario& scenario) {
  std::vector<std::pair<std::string, std::vector<std::string>>> lines;  // and whose each is
  for (const StrategySpec& strategy : scenario.strategies) {
    const std::string text =
        fmt::format("optimizer {}: {}", name_of(strategy.optimizer.kind), optimizer_text(scenario, strategy));
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return line.first == text; });
    if (same != lines.end()) {
      same->second.push_back(strategy.name);
    } else {
      lines.emplace_back(text, std::vector<std::string>{strategy.name});
    }
  }
  std::string text;
  for (const auto& [what, whose] : lines) {
    text += fmt::format("  {}{}\n", what, lines.size() > 1 ? fmt::format(" ({})", join(whose, ", ")) : "");
  }
  return text;
}

/// Kernel overhead and memory efficiency are what the roofline knows of a framework.
std::string framework_line(const Scenario& scenario) {
  const FrameworkProfile& framework = scenario.workload.framework;
  const bool has_roofline = std::any_of(scenario.strategies.begin(), scenario.strategies.end(), [&](const auto& each) {
    return priced_by(scenario, each.kind) != ComputeChoice::operators;
  });
  const std::string roofline =
      fmt::format("kernel overhead {} us, memory efficiency {}, ", number_text(framework.kernel_overhead_us.value),
                  number_text(framework.memory_efficiency.value));
  return fmt::format("  framework {}: {}stragglers {} per doubling ({})\n", framework.id, has_roofline ? roofline : "",
                     number_text(framework.straggler_per_doubling.value), framework.source);
}

std::string formulas_section(const Scenario& scenario) {
  return "\nFormulas\n"
         "  layer time (operators) products by tiles at a share of the peak, never below their bytes; what streams at "
         "a "
         "share of the\n"
         "                         memory bandwidth; + launches. A pass is never faster than the host that starts its "
         "kernels.\n"
         "                         `orrery show law DEVICE` prints the shares\n"
         "  layer time (roofline)  max(FLOPs / (peak x matrix-product share), bytes / (memory bandwidth x memory "
         "efficiency)) + kernel overhead\n"
         "  layer time (replay)    measured seconds on the recording host x roofline(device) / roofline(host), both "
         "without\n"
         "                         overhead, + kernel overhead unless the device is the host; layer by layer\n"
         "  optimizer step         parameters that train x bytes per parameter / (memory bandwidth x its share), + "
         "kernel overhead layer by layer (roofline, replay)\n"
         "  message                latency + bytes through max-min shared links\n"
         "  step time              end of the last operation of one step x (1 + straggler share)\n"
         "  time to train          data transfer + steps x step time\n"
         "  energy                 sum over devices of state power x seconds, links always on + per bit, x PUE\n" +
         federated_formulas(scenario) + framework_line(scenario) + optimizer_lines(scenario);
}

/// The same for every strategy.
std::string profile_section(const Scenario& scenario, const Catalogue& catalogue) {
  const std::vector<std::string> notes = cost_model(scenario, scenario.strategies.front(), catalogue).profile_notes();
  std::string text = notes.empty() ? "" : "\nProfile that is replayed\n";
  for (const std::string& note : notes) text += "  " + note + "\n";
  return text;
}

std::string strategy_section(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue,
                             UsedConstants& constants) {
  std::string text = fmt::format("\nStrategy {} ({})\n", strategy.name, name_of(strategy.kind));
  try {
    if (is_cosimulated(strategy.kind)) return text + explain_cosimulated(scenario, strategy);
    const CostModel cost = cost_model(scenario, strategy, catalogue);
    const Cluster cluster = build_cluster(strategy.cluster.description);
    const Plan plan = make_plan({scenario, strategy, cost, cluster});
    text += fmt::format("  compute model {}; {} on {}; memory {}\n", name_of(priced_by(scenario, strategy.kind)),
                        human_count(plan.program.ops().size(), "operation"), human_count(plan.program.ranks(), "rank"),
                        human_memory(plan.memory.peak()));
    for (const std::string& note : plan.notes) text += "  " + note + "\n";
    text += constants.add(strategy.name, pricing_constants(scenario, strategy));
  } catch (const Infeasible& reason) {
    text += fmt::format("  infeasible: {}\n", reason.what());
  }
  return text;
}

}  // namespace

ExitCode explain_command(const Arguments& arguments) {
  CommandSpec spec;
  spec.name = "explain";
  spec.summary = "every value of a scenario, where it came from, every formula used";
  spec.examples = {"orrery explain scenarios/quickstart.toml",
                   "orrery explain scenarios/data.toml --set workload.batch=512"};
  spec.positional = {"SCENARIO"};
  add_scenario_options(spec.options);
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  const Catalogue catalogue = load_catalogue();
  const Scenario scenario = read_scenario(scenario_file(*values), overrides_of(*values), catalogue, metric_names());
  std::cout << scenario.name << ": " << scenario.question << "\n\n"
            << values_section(scenario) << catalogue_section(scenario, catalogue) << formulas_section(scenario)
            << profile_section(scenario, catalogue);
  UsedConstants constants;
  for (const StrategySpec& strategy : scenario.strategies) {
    std::cout << strategy_section(scenario, strategy, catalogue, constants);
  }
  std::cout << constants.text();
  return ExitCode::ok;
}

}  // namespace orrery
