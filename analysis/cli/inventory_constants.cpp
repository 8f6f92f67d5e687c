// What `list` and `show` know of constants with ranges: frameworks, and the laws of devices and links.
#include <fmt/format.h>

#include <string_view>

#include "analysis/cli/inventory.hpp"
#include "analysis/cli/inventory_text.hpp"
#include "models/cost/framework.hpp"
#include "sim/base/files.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {
namespace {

std::filesystem::path catalogue_folder() {
  return data_directory() / "topologies" / "catalogue";
}

std::string range_text(const Ranged& value) {
  if (value.low == value.high) return figure_text(value.value);
  return fmt::format("{} ({} to {})", figure_text(value.value), figure_text(value.low), figure_text(value.high));
}

template <class Table>
std::string_view meaning_in(const Table& table, const std::string& name) {
  for (const auto& constant : table) {
    if (constant.name == name) return constant.meaning;
  }
  return {};
}

/// Value, range, whose constant it is where it is not the thing's own, then what it means and where it comes from.
template <class Table>
std::string constant_lines(const std::vector<ConstantRow>& rows, const Table& table, const std::string& own) {
  std::string text;
  for (const ConstantRow& row : rows) {
    const std::string owner = row.owner == own ? "" : fmt::format("  [{}]", row.owner);
    text += line(row.constant, range_text(row.value) + owner);
    const std::string_view meaning = meaning_in(table, row.constant);
    if (!meaning.empty()) text += fmt::format("    {}\n", meaning);
    text += fmt::format("    from: {}\n", row.source);
  }
  return text;
}

std::vector<FrameworkProfile> shipped_frameworks() {
  Problems problems;
  std::vector<FrameworkProfile> frameworks = read_frameworks(problems);
  problems.throw_if_any();
  return frameworks;
}

Lines list_frameworks(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const FrameworkProfile& framework : shipped_frameworks()) lines.emplace_back(framework.id, framework.title);
  return lines;
}

std::string show_framework(const Catalogue& /*catalogue*/, const std::string& name) {
  for (const FrameworkProfile& framework : shipped_frameworks()) {
    if (framework.id != name) continue;
    Problems problems;
    const std::vector<ConstantRow> rows = framework_rows(name, problems);
    problems.throw_if_any();
    return fmt::format("{} ({})\n", framework.title, framework.id) + line("source", framework.source) +
           constant_lines(rows, framework_constants(), name);
  }
  return {};
}

Lines list_laws(const Catalogue& catalogue) {
  Problems problems;
  const DeviceLaws devices = DeviceLaws::read(catalogue_folder(), problems);
  const FabricLaws fabrics = FabricLaws::read(catalogue_folder(), problems);
  problems.throw_if_any();
  Lines lines;
  for (const Device& device : catalogue.devices) {
    const DeviceLaw law = devices.of(device);
    lines.emplace_back(device.id, fmt::format("{:<7} products reach {} of the peak, half of it at K = {}",
                                              law.measured ? "fitted" : "assumed", range_text(law.gemm_share),
                                              range_text(law.gemm_k0)));
  }
  for (const Link& link : catalogue.links) {
    const FabricLaw law = fabrics.of(link);
    lines.emplace_back(
        link.id, fmt::format("{:<7} bus bandwidth {} GB/s, {} us a collective", law.measured ? "fitted" : "assumed",
                             range_text(law.bus_GBps), range_text(law.base_us)));
  }
  return lines;
}

std::string show_device_law(const Device& device) {
  Problems problems;
  const DeviceLaws laws = DeviceLaws::read(catalogue_folder(), problems);
  problems.throw_if_any();
  const DeviceLaw law = laws.of(device);
  return fmt::format("{}: how it turns FLOPs and bytes into time ({})\n", device.name, device.id) +
         line("plateau of products", range_text(law.gemm_share) + (law.measured ? "" : "  [assumed]")) +
         constant_lines(laws.rows_of(device), device_constants(), device.id);
}

std::string show_fabric_law(const Link& link) {
  Problems problems;
  const FabricLaws laws = FabricLaws::read(catalogue_folder(), problems);
  problems.throw_if_any();
  const FabricLaw law = laws.of(link);
  return fmt::format("{}: how a communication library uses it ({})\n", link.name, link.id) +
         line("plateau", range_text(law.bus_GBps) + " GB/s" + (law.measured ? "" : "  [assumed]")) +
         constant_lines(laws.rows_of(link), fabric_constants(), link.id);
}

std::string show_law(const Catalogue& catalogue, const std::string& name) {
  if (const Device* device = catalogue.device(name)) return show_device_law(*device);
  if (const Link* link = catalogue.link(name)) return show_fabric_law(*link);
  return {};
}

}  // namespace

std::vector<Inventory> constant_inventories() {
  return {{"frameworks", list_frameworks, show_framework}, {"laws", list_laws, show_law}};
}

}  // namespace orrery
