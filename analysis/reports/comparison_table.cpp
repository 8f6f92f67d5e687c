#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "analysis/reports/participation.hpp"
#include "analysis/reports/reports.hpp"
#include "analysis/reports/shared_figures.hpp"
#include "analysis/reports/table_legend.hpp"
#include "analysis/reports/target_table.hpp"
#include "analysis/reports/text_table.hpp"
#include "analysis/reports/winners.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr std::size_t line_width = 120;

/// ANSI: bold and dim. The text says the same without them.
std::string styled(const std::string& line, const char* code, Colour colour) {
  return colour == Colour::on ? "\033[" + std::string(code) + "m" + line + "\033[0m" : line;
}
constexpr const char* bold = "1";
constexpr const char* dim = "2";

const ResultRow* find_reference(const std::vector<ResultRow>& rows) {
  for (const ResultRow& row : rows) {
    if (row.strategy->name == reference_name(*row.scenario) && row.simulated()) return &row;
  }
  return nullptr;
}

std::string ratio(std::optional<Seconds> own, std::optional<Seconds> reference) {
  if (!own || !reference || *reference <= Seconds{}) return {};
  return human_ratio(*own / *reference);
}

/// A server step of a co-simulated way is no optimizer step: the two are not compared.
std::string step_ratio(const ResultRow& row, const ResultRow& reference) {
  return row.cosimulated() == reference.cosimulated() ? ratio(row.time.step, reference.time.step) : std::string{};
}

/// In the unit of the step, which stands beside it.
std::string range(const ResultRow& row) {
  const auto range = step_range(row);
  return range ? human_range(Seconds(range->low), Seconds(range->high), row.time.step) : std::string{};
}

std::string mfu(const ResultRow& row) {
  const auto share = shown_mfu(row);
  return share ? human_percent(*share) : std::string{};
}

std::string share(const StepTime& time, Seconds part) {
  return time.step > Seconds{} ? human_percent(part / time.step) : std::string{};
}

std::string device_count(const ResultRow& row) {
  if (row.strategy->kind != StrategyKind::federated) return std::to_string(participating_devices(row));
  const std::string asked = fmt::format("{}/{}", wanted_reports(row), row.scenario->federation.clients());
  const auto fewer = fewer_reports(row);
  return fewer ? fmt::format("{:.1f} of {}", *fewer, asked) : asked;
}

/// Blank where nothing can be wasted.
std::string waste(const ResultRow& row) {
  const auto share = row.federated ? row.federated->waste_share() : std::nullopt;
  return share ? human_percent(*share) : std::string{};
}

std::string accuracy(const ResultRow& row) {
  if (const auto& spread = row.seeds.final_accuracy) {
    return fmt::format("{:.2f}\u00b1{}", spread->mean * 100, human_accuracy(spread->sd));
  }
  return row.curve.empty() ? std::string{} : human_accuracy(row.curve.back().point.accuracy);
}

/// Only where the energy of the whole training is unknown.
std::string energy_per_step(const ResultRow& row) {
  return row.step_energy && !row.budget.time ? human(row.step_energy->total()) : std::string{};
}

using Row = const ResultRow&;
using Reference = const ResultRow*;  // null when there is none to compare with

/// Of simulated ways; the strategy's name stands before them.
struct TableColumn {
  std::string title;
  std::string (*text)(Row row, Reference reference);
};

std::vector<TableColumn> table_columns() {
  return {
      {"dev", [](Row row, Reference) { return device_count(row); }},
      {"step", [](Row row, Reference) { return human(row.time.step); }},
      {"range", [](Row row, Reference) { return range(row); }},
      {"ratio", [](Row row, Reference other) { return other ? step_ratio(row, *other) : ""; }},
      {"comp",
       [](Row row, Reference) { return share(row.time, row.time.compute + row.time.recompute + row.time.optimizer); }},
      {"comm", [](Row row, Reference) { return share(row.time, row.time.exposed_total()); }},
      {"wait",
       [](Row row, Reference) { return share(row.time, row.time.bubble + row.time.straggler + row.time.input); }},
      {"mfu", [](Row row, Reference) { return mfu(row); }},
      {"sent/dev", [](Row row, Reference) { return human(Bytes(row.bytes_per_device)); }},
      {"mem/dev",
       [](Row row, Reference) {
         const Bytes peak = row.way->memory.peak();
         return peak > Bytes{} ? human_memory(peak) : std::string{};
       }},
      {"to train", [](Row row, Reference) { return row.budget.time ? human(*row.budget.time) : ""; }},
      {"ratio", [](Row row, Reference other) { return other ? ratio(row.budget.time, other->budget.time) : ""; }},
      {"energy", [](Row row, Reference) { return row.budget.energy ? human(row.budget.energy->total()) : ""; }},
      {"energy/step", [](Row row, Reference) { return energy_per_step(row); }},
      {"cost",
       [](Row row, Reference) { return row.budget.cost ? human_cost(*row.budget.cost, row.budget.currency) : ""; }},
      {"CO2e", [](Row row, Reference) { return row.budget.emissions_kg ? human_mass(*row.budget.emissions_kg) : ""; }},
      {"waste", [](Row row, Reference) { return waste(row); }},
      {"acc", [](Row row, Reference) { return accuracy(row); }},
  };
}

std::vector<TextColumn> headings(const std::vector<TableColumn>& columns) {
  std::vector<TextColumn> list = {{"strategy", Align::left}};
  for (const TableColumn& column : columns) list.push_back({column.title, Align::right});
  return list;
}

TextRow table_row(const ResultRow& row, const ResultRow* reference, const std::vector<TableColumn>& columns) {
  TextRow text{{row.strategy->name + (&row == reference ? "*" : "")}, {}};
  if (row.simulated()) {
    for (const TableColumn& column : columns) text.cells.push_back(column.text(row, reference));
  } else {
    text.sentence = std::string(name_of(row.way->status)) + ": " + row.way->error;
  }
  return text;
}

/// Narrow enough: what the terminal can best do without, and results.csv has, goes first.
std::vector<std::string> fitting_table(const std::vector<ResultRow>& rows, const ResultRow* reference) {
  std::vector<TableColumn> columns = table_columns();
  for (const std::string dispensable : {"", "CO2e", "sent/dev"}) {
    std::erase_if(columns, [&](const TableColumn& column) { return column.title == dispensable; });
    std::vector<TextRow> body;
    for (const ResultRow& row : rows) body.push_back(table_row(row, reference, columns));
    std::vector<std::string> table = text_table(headings(columns), body, line_width);
    if (character_count(table[1]) <= line_width || dispensable == "sent/dev") return table;
  }
  return {};
}

std::vector<std::string> heading(const std::vector<ResultRow>& rows) {
  const Scenario& scenario = *rows.front().scenario;
  const WorkloadSpec& workload = scenario.workload;
  const bool measured =
      std::any_of(rows.begin(), rows.end(), [](const ResultRow& row) { return row.way->measured.has_value(); });
  std::vector<std::string> lines =
      wrap(scenario.name + (scenario.question.empty() ? "" : ": " + scenario.question), line_width);
  lines.push_back(fmt::format("{}, batch {}, {}", workload.network.name, workload.batch,
                              measured ? "measured" : fmt::format("{} engine", name_of(scenario.engine))));
  return lines;
}

std::vector<std::string> winner_lines(const std::vector<ResultRow>& rows) {
  constexpr std::size_t indent = 18;  // the longest criterion and a space
  std::vector<std::string> lines;
  for (const Winner& winner : winners(rows)) {
    const char* tie = winner.strategies.size() > 1 ? "tie: " : "";
    const std::string text = fmt::format("{}{} ({})", tie, join(winner.strategies, ", "), winner.value);
    std::string start = winner.criterion;
    for (const std::string& part : wrap(text, line_width - indent)) {
      lines.push_back(fmt::format("{:<{}}{}", start, indent, part));
      start.clear();
    }
  }
  return lines;
}

}  // namespace

std::string comparison_table(const std::vector<ResultRow>& rows, Colour colour) {
  if (rows.empty()) return {};
  const ResultRow* reference = find_reference(rows);
  std::vector<std::string> lines;
  for (const std::string& line : heading(rows)) lines.push_back(styled(line, bold, colour));
  lines.emplace_back();
  std::vector<std::string> table = fitting_table(rows, reference);
  table.front() = styled(table.front(), bold, colour);
  lines.insert(lines.end(), table.begin(), table.end());
  for (const std::string& line : table_legend(rows, reference, line_width)) {
    lines.push_back(styled(line, dim, colour));
  }
  for (std::string& note : table_notes(rows, line_width)) lines.push_back(std::move(note));
  if (const auto target = target_table(rows, reference, line_width); !target.empty()) {
    lines.emplace_back();
    lines.insert(lines.end(), target.begin(), target.end());
  }
  if (const auto best = winner_lines(rows); !best.empty()) {
    lines.emplace_back();
    lines.insert(lines.end(), best.begin(), best.end());
  }
  return join(lines, "\n") + "\n";
}

}  // namespace orrery
