#include "analysis/reports/results_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/reports/columns.hpp"
#include "analysis/reports/text_table.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr std::size_t table_width = 120;

std::string unit_of(const std::string& name) {
  for (const Column& column : columns()) {
    if (column.name == name) return column.unit;
  }
  return {};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> missing_in(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (!has(others, name)) missing.push_back(name);
  }
  return missing;
}

/// Names of columns are plain words: no quotes to take off.
std::vector<std::string> header_of(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& name : split(trim(text.substr(0, text.find('\n'))), ',')) names.emplace_back(trim(name));
  return names;
}

std::string ratio_text(const ComparedFigure& figure) {
  return figure.a == 0 ? std::string{} : number_text(figure.b / figure.a);
}

}  // namespace

ResultsTable read_results(const std::string& file, Problems& problems) {
  const auto text = read_input(file, problems);
  return text ? parse_results(*text, file, problems) : ResultsTable{};
}

ResultsTable parse_results(const std::string& text, const std::string& name, Problems& problems) {
  ResultsTable results;
  results.columns = header_of(text);
  CsvColumns wanted{{"strategy"}, {}};
  for (const std::string& column : results.columns) {
    if (column != "strategy" && !has(wanted.optional, column)) wanted.optional.push_back(column);
  }
  CsvTable table = CsvTable::parse(text, name, wanted, problems);
  for (CsvRow& row : table.rows()) {
    const std::string strategy = row.required_text("strategy");
    if (has(results.strategies, strategy)) {
      row.problem("strategy", "\"" + strategy + "\" stands here twice", "rows are paired by it");
      continue;
    }
    results.strategies.push_back(strategy);
    for (const std::string& column : results.columns) results.cells[strategy][column] = row.text(column);
  }
  return results;
}

ResultsComparison compare_results(const ResultsTable& a, const ResultsTable& b) {
  ResultsComparison comparison;
  comparison.only_a = missing_in(a.strategies, b.strategies);
  comparison.only_b = missing_in(b.strategies, a.strategies);
  for (const std::string& strategy : a.strategies) {
    if (!has(b.strategies, strategy)) continue;
    const auto& cells_a = a.cells.at(strategy);
    const auto& cells_b = b.cells.at(strategy);
    for (const std::string& column : a.columns) {
      const auto other = cells_b.find(column);
      if (other == cells_b.end()) continue;
      const auto number_a = parse_number(cells_a.at(column)), number_b = parse_number(other->second);
      if (number_a && number_b) comparison.figures.push_back({strategy, column, unit_of(column), *number_a, *number_b});
    }
  }
  return comparison;
}

std::string comparison_csv(const std::vector<ComparedFigure>& figures) {
  std::string text = csv_line({"strategy", "column", "unit", "a", "b", "ratio", "difference"});
  for (const ComparedFigure& figure : figures) {
    text += csv_line({figure.strategy, figure.column, figure.unit, number_text(figure.a), number_text(figure.b),
                      ratio_text(figure), number_text(figure.b - figure.a)});
  }
  return text;
}

std::string comparison_text(const std::vector<ComparedFigure>& figures) {
  std::vector<TextColumn> titles = {{"strategy", Align::left}, {"column", Align::left}, {"unit", Align::left},
                                    {"a", Align::right},       {"b", Align::right},     {"b / a", Align::right},
                                    {"b - a", Align::right}};
  std::vector<TextRow> rows;
  std::string last;
  for (const ComparedFigure& figure : figures) {
    if (figure.a == 0 && figure.b == 0) continue;
    const std::string ratio = figure.a == 0 ? std::string{} : fmt::format("{:.3f}", figure.b / figure.a);
    rows.push_back({{figure.strategy == last ? std::string{} : figure.strategy, figure.column, figure.unit,
                     fmt::format("{:.5g}", figure.a), fmt::format("{:.5g}", figure.b), ratio,
                     fmt::format("{:+.3g}", figure.b - figure.a)},
                    {}});
    last = figure.strategy;
  }
  if (rows.empty()) return "every shared figure is 0 on both sides\n";
  return join(text_table(std::move(titles), std::move(rows), table_width), "\n") + "\n";
}

}  // namespace orrery
