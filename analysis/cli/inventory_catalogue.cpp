// What `list` and `show` know of the catalogue: devices, links, systems, grids, and the sources that they name.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/cli/inventory.hpp"
#include "analysis/cli/inventory_text.hpp"

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
         line("latency seen through", link->latency_stack) +
         line("root complex of a node", link->host_bridge.value() / giga, "GB/s") +
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

std::string fabric_text(const System& system) {
  std::string text = system.fabric;
  if (system.fabric == "torus") text += fmt::format(", {} axes", system.torus_axes);
  if (system.fabric == "fat-tree") text += fmt::format(", {} nodes under a leaf", system.nodes_per_leaf);
  if (system.oversubscription != 1)
    text += fmt::format(", oversubscribed {} : 1", number_text(system.oversubscription));
  return text;
}

std::string show_system(const Catalogue& catalogue, const std::string& name) {
  const System* system = catalogue.system(name);
  if (system == nullptr) return {};
  return fmt::format("{} ({})\n", system->name, system->id) +
         line("devices per node", fmt::format("{} x {}", system->devices_per_node, system->device)) +
         line("link inside the node", system->node_link) +
         line("network per node", fmt::format("{} x {}", system->nics_per_node, system->network_link)) +
         line("fabric", fabric_text(*system)) + line("most nodes", system->max_nodes, "") +
         line("node idle", system->node_idle.value(), "W") + line("node training", system->node_training.value(), "W") +
         line("node at most", system->node_maximum.value(), "W") +
         line("price per node and hour", system->price_per_hour, system->currency) +
         origin(system->source, system->assumed, system->notes);
}

Lines list_grids(const Catalogue& catalogue) {
  Lines lines;
  for (const GridIntensity& grid : catalogue.grids) {
    lines.emplace_back(grid.id, fmt::format("{:>6} gCO2e/kWh  {} ({}, {})", number_text(grid.gCO2e_per_kWh), grid.name,
                                            grid.year, grid.source));
  }
  return lines;
}

std::string show_grid(const Catalogue& catalogue, const std::string& name) {
  const GridIntensity* grid = catalogue.grid(name);
  if (grid == nullptr) return {};
  return fmt::format("{} ({}, {}, {})\n", grid->name, grid->id, grid->kind, grid->year) +
         line("intensity", grid->gCO2e_per_kWh, "gCO2e/kWh") + origin(grid->source, grid->assumed, grid->notes);
}

Lines list_sources(const Catalogue& catalogue) {
  Lines lines;
  for (const Source& source : catalogue.sources) lines.emplace_back(source.id, source.title);
  return lines;
}

std::string show_source(const Catalogue& catalogue, const std::string& name) {
  const auto& sources = catalogue.sources;
  const auto source =
      std::find_if(sources.begin(), sources.end(), [&](const Source& known) { return known.id == name; });
  if (source == sources.end()) return {};
  return fmt::format("{} ({})\n", source->title, source->id) + line("where", source->where) +
         line("version", source->version) + line("used for", source->used_for);
}

}  // namespace

std::vector<Inventory> catalogue_inventories() {
  return {
      {"devices", list_devices, show_device}, {"links", list_links, show_link},
      {"systems", list_systems, show_system}, {"grids", list_grids, show_grid},
      {"sources", list_sources, show_source},
  };
}

}  // namespace orrery
