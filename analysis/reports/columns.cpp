#include "analysis/reports/columns.hpp"

#include <cmath>
#include <utility>

#include "sim/base/text.hpp"

namespace orrery {

const std::vector<Column>& columns() {
  static const std::vector<Column> all = [] {
    std::vector<Column> list;
    for (const auto group : {identity_columns, time_columns, throughput_columns, memory_columns, traffic_columns,
                             budget_columns, learning_columns, target_columns, federation_columns, seed_columns}) {
      for (Column& column : group()) list.push_back(std::move(column));
    }
    return list;
  }();
  return all;
}

const MetricNames& metric_names() {
  static const MetricNames names = [] {
    MetricNames sorted;
    for (const Column& column : columns()) {
      const bool is_number = !column.unit.empty() || column.is_yes_no;
      (is_number ? sorted.numbers : sorted.texts).push_back(column.name);
    }
    return sorted;
  }();
  return names;
}

std::string cell_text(const Cell& cell) {
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&cell)) return std::isfinite(*number) ? number_text(*number) : "";
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return {};
}

}  // namespace orrery
