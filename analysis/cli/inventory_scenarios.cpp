// What `list` and `show` know of the scenarios that ship with Orrery.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/cli/command.hpp"
#include "analysis/cli/inventory.hpp"
#include "analysis/cli/inventory_text.hpp"
#include "analysis/reports/text_table.hpp"
#include "sim/base/toml_reader.hpp"

namespace orrery {
namespace {

/// What its file says, without checking the rest.
struct ScenarioPage {
  std::string question, source, expected, network;
  std::vector<std::string> strategies;  // "ring (data)"
  bool learns = false;
};

ScenarioPage page_of(const std::string& name) {
  Problems problems;
  TomlDocument document = TomlDocument::read(shipped_scenario_file(name), {}, problems);
  TomlTable root = document.root(), head = root.table_or_defaults("scenario"),
            workload = root.table_or_defaults("workload");
  ScenarioPage page;
  page.question = head.text("question", "");
  page.source = head.text("source", "");
  page.expected = head.text("expected", "");
  page.network = workload.text("network", "");
  page.learns = workload.boolean("learn", false);
  for (TomlTable& strategy : root.tables("strategy")) {
    page.strategies.push_back(fmt::format("{} ({})", strategy.text("name", ""), strategy.text("kind", "")));
  }
  return page;
}

Lines list_scenarios(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const std::string& name : shipped_scenarios()) {
    const ScenarioPage page = page_of(name);
    lines.emplace_back(name, page.question + (page.learns ? " (learns for real: tens of seconds)" : ""));
  }
  return lines;
}

std::string show_scenario(const Catalogue& /*catalogue*/, const std::string& name) {
  const std::vector<std::string> names = shipped_scenarios();
  if (std::find(names.begin(), names.end(), name) == names.end()) return {};
  const ScenarioPage page = page_of(name);
  Lines lines = {{"  question", page.question},
                 {"  network", page.network},
                 {"  strategies", join(page.strategies, ", ")},
                 {"  learns", page.learns ? "for real, which takes tens of seconds" : ""},
                 {"  expected", page.expected},
                 {"  source", page.source}};
  std::erase_if(lines, [](const auto& line) { return line.second.empty(); });
  constexpr std::size_t width = 120;
  std::string text = fmt::format("{} ({})\n", name, shipped_scenario_file(name));
  for (const std::string& line : named_list(lines, width)) text += line + "\n";
  return text;
}

}  // namespace

Inventory scenario_inventory() {
  return {"scenarios", list_scenarios, show_scenario};
}

}  // namespace orrery
