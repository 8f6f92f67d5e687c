#include "analysis/cli/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "analysis/cli/inventory_text.hpp"
#include "analysis/reports/columns.hpp"
#include "models/cost/describe.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/training/dataset.hpp"
#include "scenarios/plan.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"
#include "sim/collectives/schedule.hpp"
#include "topologies/cluster.hpp"

namespace orrery {
namespace {

Lines list_devices(const Catalogue& catalogue) {
  Lines lines;
  for (const Device& device : catalogue.devices)
    lines.emplace_back(device.id, fmt::format("{:<5} {}", device.kind, device.name));
  return lines;
}

std::string show_device(const Catalogue& catalogue, const std::string& name) {
  const Device* device = catalogue.device(name);
  if (device == nullptr) return {};
  std::string text = fmt::format("{} ({}, {}, {})\n", device->name, device->id, device->kind, device->year);
  for (const Precision precision : {Precision::fp64, Precision::fp32, Precision::tf32, Precision::fp16, Precision::bf16,
                                    Precision::fp8, Precision::int8}) {
    text += line(fmt::format("peak {}", name_of(precision)),
                 device->peak[static_cast<std::size_t>(precision)].value() / tera, "TFLOPS");
  }
  return text + line("memory", device->memory.value() / gibi, "GiB") +
         line("memory bandwidth", device->memory_bandwidth.value() / giga, "GB/s") +
         line("idle", device->idle.value(), "W") + line("training", device->typical.value(), "W") +
         line("maximum", device->maximum.value(), "W") + line("matrix product / peak", device->gemm_fraction, "") +
         line("overhead of a local step", device->step_overhead.value() * kilo, "ms") + line("link", device->link) +
         origin(device->source, device->assumed, device->notes);
}

Lines list_links(const Catalogue& catalogue) {
  Lines lines;
  for (const Link& link : catalogue.links)
    lines.emplace_back(
        link.id, fmt::format("{:<10} {:>9} GB/s  {}", link.kind, number_text(link.down.value() / giga), link.name));
  return lines;
}

std::string show_link(const Catalogue& catalogue, const std::string& name) {
  const Link* link = catalogue.link(name);
  if (link == nullptr) return {};
  return fmt::format("{} ({}, {})\n", link->name, link->id, link->kind) +
         line("bandwidth down", link->down.value() / giga, "GB/s") +
         line("bandwidth up", link->up.value() / giga, "GB/s") + line("share payload reaches", link->efficiency, "") +
         line("latency one way", link->latency.value() / micro, "us") +
         line("port, always on", link->port.value(), "W") + line("energy", link->energy_pJ_per_bit, "pJ/bit") +
         line("client while moving data", link->radio ? 0 : link->client_active.value(), "W") +
         line("radio", link->radio ? link->radio->id : std::string{}) +
         origin(link->source, link->assumed, link->notes);
}

Lines list_systems(const Catalogue& catalogue) {
  Lines lines;
  for (const System& system : catalogue.systems)
    lines.emplace_back(system.id, fmt::format("{} x {:<16} {}", system.devices_per_node, system.device, system.name));
  return lines;
}

std::string show_system(const Catalogue& catalogue, const std::string& name) {
  const System* system = catalogue.system(name);
  if (system == nullptr) return {};
  return fmt::format("{} ({})\n", system->name, system->id) +
         line("devices per node", fmt::format("{} x {}", system->devices_per_node, system->device)) +
         line("link inside the node", system->node_link) +
         line("network per node", fmt::format("{} x {}", system->nics_per_node, system->network_link)) +
         line("most nodes", system->max_nodes, "") + line("node idle", system->node_idle.value(), "W") +
         line("node training", system->node_training.value(), "W") +
         line("price per node and hour", system->price_per_hour, system->currency) +
         origin(system->source, system->assumed, system->notes);
}

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
  return known ? describe(load_network(name)) : std::string{};
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
    lines.emplace_back(std::string(entry.name), fmt::format("{} ({})", entry.summary, join(kinds, ", ")));
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

Lines list_grids(const Catalogue& catalogue) {
  Lines lines;
  for (const GridIntensity& grid : catalogue.grids) {
    lines.emplace_back(grid.id, fmt::format("{:>6} gCO2e/kWh  {} ({}, {})", number_text(grid.gCO2e_per_kWh), grid.name,
                                            grid.year, grid.source));
  }
  return lines;
}

Lines list_data_sets(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const DataSetInfo& info : data_sets())
    lines.emplace_back(info.name,
                       fmt::format("{:>9} samples {:<12} {}", info.train_samples, to_text(info.shape), info.title));
  return lines;
}

Lines list_scenarios(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory() / "scenarios")) {
    if (entry.path().extension() != ".toml") continue;
    Problems problems;
    TomlDocument document = TomlDocument::read(entry.path().string(), {}, problems);
    const auto table = document.root().table("scenario");
    lines.emplace_back(entry.path().stem().string(), table ? TomlTable(*table).text("question", "") : std::string{});
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<Inventory> joined(std::vector<Inventory> table) {
  for (Inventory& inventory : constant_inventories()) table.push_back(std::move(inventory));
  for (Inventory& inventory : federation_inventories()) table.push_back(std::move(inventory));
  return table;
}

}  // namespace

const std::vector<Inventory>& inventories() {
  static const std::vector<Inventory> table = joined({
      {"devices", list_devices, show_device},
      {"links", list_links, show_link},
      {"systems", list_systems, show_system},
      {"fabrics", list_fabrics, show_line<list_fabrics>},
      {"grids", list_grids, show_line<list_grids>},
      {"networks", list_networks, show_network},
      {"datasets", list_data_sets, show_line<list_data_sets>},
      {"strategies", list_strategies, show_line<list_strategies>},
      {"collectives", list_collectives, show_line<list_collectives>},
      {"columns", list_columns, show_line<list_columns>},
      {"scenarios", list_scenarios, show_line<list_scenarios>},
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
