// Constants in long form: CSV files of one constant per row (owner, constant, value, low, high, source), so that every
// number has its range and its source. Frameworks, devices and fabrics are such files, and so is what `fit` writes.
#pragma once

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

struct ConstantNames {
  std::string owner;                   // first column, and what an owner is called in messages: "framework"
  std::vector<std::string> constants;  // all that a row may name
  std::vector<std::string> owners;     // empty: any owner may be named
};

/// The columns of such a file: owner, constant, value, low, high, source.
CsvColumns constant_columns(const std::string& owner);

/// An empty low or high is the value. Problems: an unknown owner or constant, one given twice for the same owner, a
/// value outside [low, high], a number below 0 or (see largest_value) too large, a cell without source.
std::vector<ConstantRow> read_constants(CsvTable table, const ConstantNames& names, Problems& problems);

/// Names that end in share, efficiency, overlap or exposed, and the switch blocking_transfers are at most 1;
/// flash_attention (a generation of kernels) is at most 3; small_ring_loss is below 2, so that a ring of two moves at
/// all; the rest is not limited.
double largest_value(std::string_view constant);

/// The text of such a file; numbers as the shortest text that reads back.
std::string constants_csv(const std::string& owner, std::span<const ConstantRow> rows);

/// Sets the member that the row names; nothing when the table (of {name, member, meaning}) has no such name.
template <class Law, class Table>
void set_constant(Law& law, const Table& table, const ConstantRow& row) {
  for (const auto& constant : table) {
    if (constant.name == row.constant) law.*(constant.member) = row.value;
  }
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
