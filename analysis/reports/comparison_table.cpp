#include <fmt/format.h>

#include <algorithm>

#include "analysis/reports/human.hpp"
#include "analysis/reports/reports.hpp"
#include "analysis/reports/text_table.hpp"
#include "analysis/reports/winners.hpp"
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

std::string target_title(const Scenario& scenario) {
  return "to " + number_text(scenario.workload.target_accuracy * 100) + " %";
}

std::vector<TextColumn> table_columns(const Scenario& scenario) {
  return {{"strategy", Align::left},
          {"devices"},
          {"step"},
          {"ratio"},
          {"compute"},
          {"comm"},
          {"wait"},
          {"sent/dev"},
          {"mem/dev"},
          {"steps"},
          {"to train"},
          {"ratio"},
          {"energy"},
          {"cost"},
          {"accuracy"},
          {target_title(scenario)}};
}

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

std::string marked_name(const ResultRow& row, const ResultRow* reference) {
  return row.strategy->name + (&row == reference ? "*" : "");
}

std::string device_count(const ResultRow& row) {
  if (row.strategy->kind != StrategyKind::federated) return std::to_string(row.strategy->devices);
  return fmt::format("{}/{}", row.strategy->clients_per_round, row.scenario->federation.clients());
}

TextRow table_row(const ResultRow& row, const ResultRow* reference) {
  if (!row.simulated()) {
    return {{marked_name(row, reference)}, std::string(name_of(row.way->status)) + ": " + row.way->error};
  }
  const StepTime& time = row.time;
  const auto share = [&](Seconds part) { return human_percent(part / time.step); };
  const Budget& budget = row.budget;
  const auto of_reference = [&](auto get) {
    return reference != nullptr ? std::optional<Seconds>(get(*reference)) : std::nullopt;
  };
  return {
      {marked_name(row, reference), device_count(row), human(time.step),
       ratio(time.step, of_reference([](const ResultRow& other) { return other.time.step; })),
       share(time.compute + time.recompute + time.optimizer), share(time.exposed_total()),
       share(time.bubble + time.straggler + time.input), human(Bytes(row.bytes_per_device)),
       human_memory(row.way->memory.peak()), row.way->steps > 0 ? fmt::format("{:.0f}", row.way->steps) : "",
       budget.time ? human(*budget.time) : "", reference != nullptr ? ratio(budget.time, reference->budget.time) : "",
       budget.energy ? human(budget.energy->total()) : "",
       budget.cost ? fmt::format("{:.2f} {}", *budget.cost, budget.currency) : "",
       row.curve.empty() ? "" : fmt::format("{:.2f} %", row.curve.back().accuracy * 100),
       row.at_target ? human(row.at_target->time) : ""},
      {}};
}

std::string heading(const Scenario& scenario) {
  const WorkloadSpec& workload = scenario.workload;
  std::string text = scenario.name;
  if (!scenario.question.empty()) text += ": " + scenario.question;
  return text +
         fmt::format("\n{}, batch {}, {} engine", workload.network.name, workload.batch, name_of(scenario.engine));
}

std::vector<std::string> legend(const std::vector<ResultRow>& rows, const ResultRow* reference) {
  const bool federated = std::any_of(
      rows.begin(), rows.end(), [](const ResultRow& row) { return row.strategy->kind == StrategyKind::federated; });
  std::string text =
      "compute, comm and wait are shares of the step: computing, data moving meanwhile unhidden, neither.";
  if (reference != nullptr) text = "* reference of the ratios. " + text;
  if (federated) text += " Federated: a step is a round, devices are clients per round / all clients.";
  return wrap(text, line_width);
}

std::vector<std::string> winner_lines(const std::vector<ResultRow>& rows) {
  std::vector<std::string> lines;
  for (const Winner& winner : winners(rows)) {
    const char* tie = winner.strategies.size() > 1 ? "tie: " : "";
    lines.push_back(
        fmt::format("{:<17} {}{} ({})", winner.criterion, tie, join(winner.strategies, ", "), winner.value));
  }
  return lines;
}

}  // namespace

std::string comparison_table(const std::vector<ResultRow>& rows, Colour colour) {
  if (rows.empty()) return {};
  const Scenario& scenario = *rows.front().scenario;
  const ResultRow* reference = find_reference(rows);
  std::vector<TextRow> body;
  for (const ResultRow& row : rows) body.push_back(table_row(row, reference));
  std::vector<std::string> lines = text_table(table_columns(scenario), body, line_width);
  lines.front() = styled(lines.front(), bold, colour);
  for (const std::string& line : legend(rows, reference)) lines.push_back(styled(line, dim, colour));
  if (const auto best = winner_lines(rows); !best.empty()) {
    lines.emplace_back();
    lines.insert(lines.end(), best.begin(), best.end());
  }
  return styled(heading(scenario), bold, colour) + "\n\n" + join(lines, "\n") + "\n";
}

}  // namespace orrery
