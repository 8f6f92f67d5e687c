#include "analysis/cli/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/cli/inventory_text.hpp"
#include "analysis/reports/columns.hpp"
#include "models/cost/describe.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/training/dataset.hpp"
#include "scenarios/plan.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"
#include "sim/collectives/schedule.hpp"
#include "topologies/cluster.hpp"

namespace orrery {
namespace {

Lines list_networks(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const std::string& name : network_names()) {
    const LayerGraph graph = load_network(name);
    lines.emplace_back(name, fmt::format("{:>11} parameters  {}", parameters(graph), graph.title));
  }
  return lines;
}

std::string show_network(const Catalogue& /*catalogue*/, const std::string& name) {
  const std::vector<std::string> names = network_names();
  const bool known = is_network_path(name) || std::find(names.begin(), names.end(), name) != names.end();
  if (!known) return {};
  return describe(load_network(name)) +
         "\nstored k: thousands of numbers of a sample that backward needs from the layer's forward pass, the layer "
         "seen "
         "alone:\nwhat two layers share is counted once in a run, and recomputation keeps less.\n";
}

Lines list_strategies(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const StrategyEntry& entry : strategies()) lines.emplace_back(entry.name, entry.summary);
  return lines;
}

Lines list_collectives(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const AlgorithmEntry& entry : algorithms()) {
    std::vector<std::string> kinds;
    for (const CollectiveKind kind : entry.kinds) kinds.emplace_back(name_of(kind));
    lines.emplace_back(std::string(entry.name()), fmt::format("{} ({})", entry.summary, join(kinds, ", ")));
  }
  return lines;
}

Lines list_fabrics(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const FabricEntry& entry : fabrics()) lines.emplace_back(entry.name, entry.summary);
  return lines;
}

Lines list_columns(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const Column& column : columns())
    lines.emplace_back(column.name, fmt::format("{:<14} {}", column.unit.empty() ? "-" : column.unit, column.meaning));
  return lines;
}

Lines list_data_sets(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const DataSetInfo& info : data_sets())
    lines.emplace_back(info.name,
                       fmt::format("{:>9} samples {:<12} {}", info.train_samples, to_text(info.shape), info.title));
  return lines;
}

std::string show_data_set(const Catalogue& /*catalogue*/, const std::string& name) {
  for (const DataSetInfo& info : data_sets()) {
    if (info.name != name) continue;
    return fmt::format("{} ({})\n", info.title, info.name) + line("one sample", to_text(info.shape)) +
           line("classes", std::to_string(info.classes)) +
           line("to train on", static_cast<double>(info.train_samples), "samples") +
           line("to test on", static_cast<double>(info.test_samples), "samples") +
           line("stored", info.stored_bytes_per_sample, "bytes per sample") + line("source", info.source);
  }
  return {};
}

std::vector<Inventory> joined(std::vector<Inventory> own) {
  std::vector<Inventory> table = catalogue_inventories();
  for (Inventory& inventory : own) table.push_back(std::move(inventory));
  for (Inventory& inventory : constant_inventories()) table.push_back(std::move(inventory));
  for (Inventory& inventory : federation_inventories()) table.push_back(std::move(inventory));
  return table;
}

}  // namespace

const std::vector<Inventory>& inventories() {
  static const std::vector<Inventory> table = joined({
      {"fabrics", list_fabrics, show_line<list_fabrics>},
      {"networks", list_networks, show_network},
      {"datasets", list_data_sets, show_data_set},
      {"strategies", list_strategies, show_line<list_strategies>},
      {"collectives", list_collectives, show_line<list_collectives>},
      {"columns", list_columns, show_line<list_columns>},
      scenario_inventory(),
  });
  return table;
}

const Inventory& inventory_of(const std::string& kind, const std::string& command) {
  std::vector<std::string> kinds;
  for (const Inventory& inventory : inventories()) {
    const bool singular = inventory.kind == kind + "s" || (kind == "strategy" && inventory.kind == "strategies");
    if (inventory.kind == kind || singular) return inventory;
    kinds.push_back(inventory.kind);
  }
  throw UsageError(fmt::format("orrery {}: unknown kind \"{}\" ({})", command, kind, did_you_mean(kind, kinds)));
}

}  // namespace orrery
