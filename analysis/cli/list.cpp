// `orrery list KIND` and `orrery show KIND NAME`.
#include <fmt/format.h>

#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/inventory.hpp"
#include "analysis/reports/text_table.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

std::string kinds_note() {
  std::string note = "KIND is one of:";
  for (const Inventory& inventory : inventories()) note += " " + inventory.kind;
  return note;
}

}  // namespace

ExitCode list_command(const Arguments& arguments) {
  CommandSpec spec;
  spec.name = "list";
  spec.summary = "what the catalogue and the tables hold";
  spec.examples = {"orrery list devices", "orrery list columns"};
  spec.positional = {"KIND"};
  spec.notes = kinds_note();
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  const Lines lines = inventory_of((*values)["KIND"].as<std::string>(), spec.name).list(load_catalogue());
  for (const std::string& line : named_list(lines, list_width())) std::cout << line << '\n';
  return ExitCode::ok;
}

ExitCode show_command(const Arguments& arguments) {
  CommandSpec spec;
  spec.name = "show";
  spec.summary = "one entry with all its figures and their sources";
  spec.examples = {"orrery show device a100-sxm-80", "orrery show network resnet50",
                   "orrery show source epoch               # what the source of a figure is"};
  spec.positional = {"KIND", "NAME"};
  spec.notes = kinds_note();
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  const Catalogue catalogue = load_catalogue();
  const Inventory& inventory = inventory_of((*values)["KIND"].as<std::string>(), spec.name);
  const std::string name = (*values)["NAME"].as<std::string>();
  const std::string text = inventory.show(catalogue, name);
  if (text.empty()) {
    std::vector<std::string> names;
    for (const auto& entry : inventory.list(catalogue)) names.push_back(entry.first);
    throw UsageError(fmt::format("orrery show: \"{}\" is not among the {} ({})", name, inventory.kind,
                                 did_you_mean(name, names, "orrery list " + inventory.kind)));
  }
  std::cout << text;
  return ExitCode::ok;
}

}  // namespace orrery
