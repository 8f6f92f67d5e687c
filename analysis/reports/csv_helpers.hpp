// Cells of the CSV reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/text.hpp"
#include "sim/base/units.hpp"

namespace orrery {

using Cells = std::vector<std::string>;

/// A column of a report about things `Of`: its name and its cell in one line of a table, so that they cannot drift.
template <class... Of>
struct CsvColumn {
  std::string name;
  std::string (*cell)(const Of&...);
};

template <class... Of>
Cells names_of(const std::vector<CsvColumn<Of...>>& columns) {
  Cells names;
  for (const CsvColumn<Of...>& column : columns) names.push_back(column.name);
  return names;
}

template <class... Of>
Cells cells_of(const std::vector<CsvColumn<Of...>>& columns, const Of&... of) {
  Cells cells;
  for (const CsvColumn<Of...>& column : columns) cells.push_back(column.cell(of...));
  return cells;
}

// Beside number_text() of a double.
template <class Tag>
std::string number_text(Quantity<Tag> quantity) {
  return number_text(quantity.value());
}
inline std::string number_text(std::int64_t value) {
  return std::to_string(value);
}
/// Empty for nothing.
template <class Value>
std::string number_text(const std::optional<Value>& value) {
  return value ? number_text(*value) : std::string{};
}

}  // namespace orrery
