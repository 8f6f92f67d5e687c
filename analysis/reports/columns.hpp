// The registry of columns: name, unit, meaning and getter in one place. CSV, JSON, `list columns` and the README are
// made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;  // monostate: not applicable

/// unit: empty for text and yes/no; "1" for shares and ratios; "count" for whole things.
struct Column {
  std::string name, unit, group, meaning;
  std::function<Cell(const ResultRow&)> get;
  bool is_yes_no = false;
};
const std::vector<Column>& columns();

/// The columns as read_scenario() wants them; yes/no counts as 1 and 0.
const MetricNames& metric_names();

/// CSV text: shortest number that reads back, true or false, empty for monostate.
std::string cell_text(const Cell& cell);

// One table per group, in the order of the file.
std::vector<Column> identity_columns();
std::vector<Column> time_columns();
std::vector<Column> throughput_columns();
std::vector<Column> memory_columns();
std::vector<Column> traffic_columns();
std::vector<Column> budget_columns();
std::vector<Column> learning_columns();
std::vector<Column> target_columns();
std::vector<Column> federation_columns();
std::vector<Column> seed_columns();

}  // namespace orrery
