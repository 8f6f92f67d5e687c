// Constants in long form: CSV files of one constant per row (owner, constant, value, low, high, source), so that every
// number has its range and its source. Frameworks, devices and fabrics are such files, and so is what `fit` writes.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/csv.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

struct ConstantRow {
  std::string owner, constant;
  Ranged value;
  std::string source;
  Position at;
  /// Whether its source says that the number was assumed, not measured or read.
  [[nodiscard]] bool assumed() const;
};

/// The numbers that a constant may be: from 0 on, where something is divided by it above 0.
struct ConstantLimits {
  double largest = std::numeric_limits<double>::max();
  bool divides = false;
};
inline constexpr ConstantLimits share_limits{1.0}, divisor_limits{1.0, true};
inline constexpr ConstantLimits switch_limits{1.0};  // 0 or 1; between them, where runs differ

struct NamedConstant {
  std::string name;
  ConstantLimits limits = {};
};

/// None that it is not among: no limits.
ConstantLimits limits_of(std::string_view constant, std::span<const NamedConstant> constants);

struct ConstantNames {
  std::string owner;                     // first column, and what an owner is called in messages: "framework"
  std::vector<NamedConstant> constants;  // all that a row may name
  std::vector<std::string> owners;       // empty: any owner may be named
};

/// The columns of such a file: owner, constant, value, low, high, source.
CsvColumns constant_columns(const std::string& owner);

/// An empty low or high is the value. Problems: an unknown owner or constant, one given twice for the same owner, a
/// value outside [low, high], a number outside the limits of its constant, a cell without source.
std::vector<ConstantRow> read_constants(CsvTable table, const ConstantNames& names, Problems& problems);

/// The text of such a file; numbers as the shortest text that reads back.
std::string constants_csv(const std::string& owner, std::span<const ConstantRow> rows);

/// Sets the member that the row names; nothing when the table (of {name, member, ...}) has no such name.
template <class Law, class Table>
void set_constant(Law& law, const Table& table, const ConstantRow& row) {
  for (const auto& constant : table) {
    if (constant.name == row.constant) law.*(constant.member) = row.value;
  }
}

/// Of a table of {name, member, meaning, limits}.
template <class Table>
std::vector<NamedConstant> named_constants(const Table& table) {
  std::vector<NamedConstant> constants;
  for (const auto& constant : table) constants.push_back({std::string(constant.name), constant.limits});
  return constants;
}

template <class Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& constant : table) names.emplace_back(constant.name);
  return names;
}

/// Rows that take the place of those of the same owner and constant, or are added.
void overlay_constants(std::vector<ConstantRow>& rows, std::vector<ConstantRow> over);

/// The row of that owner and constant, or null.
const ConstantRow* find_constant(std::span<const ConstantRow> rows, std::string_view owner, std::string_view constant);

}  // namespace orrery
