// The registry of columns: name, unit, meaning and getter in one place. CSV, JSON, `list columns` and the README are
// made from it.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;  // monostate: not applicable
struct Column {
  std::string name, unit, group, meaning;
  std::function<Cell(const ResultRow&)> get;
};
const std::vector<Column>& columns();
std::string cell_text(const Cell& cell);  // CSV text; empty for monostate

}  // namespace orrery
