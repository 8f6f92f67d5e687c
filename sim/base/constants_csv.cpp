#include "sim/base/constants_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

void check_known(CsvRow& row, const std::string& column, const std::string& name,
                 const std::vector<std::string>& known) {
  if (name.empty() || known.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
  row.problem(column, "unknown " + column + " \"" + name + "\"", "", did_you_mean(name, known));
}

std::vector<std::string> names_of(const std::vector<NamedConstant>& constants) {
  std::vector<std::string> names;
  for (const NamedConstant& constant : constants) names.push_back(constant.name);
  return names;
}

void check_size(CsvRow& row, std::string_view column, double value, const ConstantLimits& limits) {
  if (limits.divides && (value <= 0.0 || value > limits.largest)) {
    row.problem(column, fmt::format("must be above 0 and at most {}", limits.largest), "a share");
  } else if (value < 0.0) {
    row.problem(column, "must be at least 0");
  } else if (value > limits.largest) {
    row.problem(column, fmt::format("must be at most {}", limits.largest));
  }
}

Ranged read_value(CsvRow& row, const ConstantLimits& limits) {
  const double value = row.required_number("value");
  if (row.text("value").empty()) return Ranged();
  check_size(row, "value", value, limits);
  const Ranged read(value, row.number("low").value_or(value), row.number("high").value_or(value));
  if (read.low > value) row.problem("low", fmt::format("is above the value {}", value));
  if (read.high < value) row.problem("high", fmt::format("is below the value {}", value));
  if (read.low < 0.0 && value >= 0.0) row.problem("low", "must be at least 0");
  if (read.high > std::max(value, limits.largest)) {
    row.problem("high", fmt::format("must be at most {}", limits.largest));
  }
  return read;
}

}  // namespace

bool ConstantRow::assumed() const {
  return source.find("assumed") != std::string::npos;
}

CsvColumns constant_columns(const std::string& owner) {
  return {{owner, "constant", "value", "low", "high", "source"}, {}};
}

ConstantLimits limits_of(std::string_view constant, std::span<const NamedConstant> constants) {
  const auto same = [&](const NamedConstant& named) { return named.name == constant; };
  const auto found = std::find_if(constants.begin(), constants.end(), same);
  return found == constants.end() ? ConstantLimits{} : found->limits;
}

std::vector<ConstantRow> read_constants(CsvTable table, const ConstantNames& names, Problems& problems) {
  const std::vector<std::string> constants = names_of(names.constants);
  std::vector<ConstantRow> rows;
  std::map<std::pair<std::string, std::string>, int> lines;
  for (CsvRow& cells : table.rows()) {
    const std::size_t before = problems.all().size();
    ConstantRow row;
    row.at = cells.at();
    row.owner = cells.required_text(names.owner);
    row.constant = cells.required_text("constant");
    row.source = cells.required_text("source");
    check_known(cells, names.owner, row.owner, names.owners);
    check_known(cells, "constant", row.constant, constants);
    row.value = read_value(cells, limits_of(row.constant, names.constants));
    const auto [place, is_new] = lines.emplace(std::pair(row.owner, row.constant), row.at.line);
    if (!is_new) {
      cells.problem("constant", fmt::format("\"{}\" of \"{}\" is given twice", row.constant, row.owner),
                    fmt::format("first in line {}", place->second), "remove one of the rows");
    }
    if (problems.all().size() == before) rows.push_back(std::move(row));
  }
  return rows;
}

std::string constants_csv(const std::string& owner, std::span<const ConstantRow> rows) {
  std::string text = csv_line(constant_columns(owner).required);
  for (const ConstantRow& row : rows) {
    text += csv_line({row.owner, row.constant, fmt::format("{}", row.value.value), fmt::format("{}", row.value.low),
                      fmt::format("{}", row.value.high), row.source});
  }
  return text;
}

void overlay_constants(std::vector<ConstantRow>& rows, std::vector<ConstantRow> over) {
  for (ConstantRow& row : over) {
    const auto same = [&row](const ConstantRow& old) { return old.owner == row.owner && old.constant == row.constant; };
    const auto place = std::find_if(rows.begin(), rows.end(), same);
    if (place == rows.end()) {
      rows.push_back(std::move(row));
    } else {
      *place = std::move(row);
    }
  }
}

const ConstantRow* find_constant(std::span<const ConstantRow> rows, std::string_view owner, std::string_view constant) {
  for (const ConstantRow& row : rows) {
    if (row.owner == owner && row.constant == constant) return &row;
  }
  return nullptr;
}

}  // namespace orrery
