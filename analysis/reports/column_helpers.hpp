// Small steps from a figure to a cell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "analysis/reports/columns.hpp"

namespace orrery {

template <class Tag>
Cell to_cell(Quantity<Tag> quantity) {
  return quantity.value();
}
inline Cell to_cell(double number) {
  return number;
}
inline Cell to_cell(std::int64_t count) {
  return count;
}
inline Cell to_cell(std::string_view text) {
  return text.empty() ? Cell{} : Cell{std::string(text)};
}

template <class Value>
Cell to_cell(const std::optional<Value>& value) {
  return value ? to_cell(*value) : Cell{};
}

/// A getter for figures that only a simulated way has.
template <class Get>
std::function<Cell(const ResultRow&)> simulated(Get get) {
  return [get = std::move(get)](const ResultRow& row) { return row.simulated() ? to_cell(get(row)) : Cell{}; };
}

}  // namespace orrery
