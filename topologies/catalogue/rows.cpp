#include "topologies/catalogue/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_sources(CsvRow& row, const std::vector<Source>& sources) {
  const std::vector<std::string> ids = ids_of(sources);
  for (const std::string& part : split(row.text("source"), ';')) {
    const std::string id(trim(part.substr(0, part.find('('))));
    if (contains(ids, id)) continue;
    row.problem("source", fmt::format("unknown source \"{}\"", id), "no such id in sources.csv", did_you_mean(id, ids));
  }
}

void check_assumed(CsvRow& row, const std::vector<std::string>& columns) {
  const std::string text = row.text("assumed");
  if (text.empty() || text == "all") return;
  for (const std::string& part : split(text, ';')) {
    const std::string name(trim(part));
    if (contains(columns, name)) continue;
    row.problem("assumed", fmt::format("unknown column \"{}\"", name), "it lists columns of this file, or says all",
                did_you_mean(name, columns));
  }
}

}  // namespace

std::string UniqueIds::take(CsvRow& row) {
  std::string id = row.required_text("id");
  if (id.empty()) return id;
  const auto [first, fresh] = lines_.emplace(id, row.at().line);
  if (!fresh) {
    row.problem("id", fmt::format("\"{}\" is given twice", id), fmt::format("first in line {}", first->second),
                "give every row an id of its own");
  }
  return id;
}

double number_or_zero(CsvRow& row, std::string_view column) {
  const double value = row.number(column).value_or(0.0);
  if (value >= 0) return value;
  row.problem(column, fmt::format("{} is negative", number_text(value)), "", "leave the cell empty when it is unknown");
  return 0;
}

double number_above_zero(CsvRow& row, std::string_view column) {
  if (row.text(column).empty()) return row.required_number(column);
  const std::optional<double> value = row.number(column);
  if (!value || *value > 0) return value.value_or(0.0);
  row.problem(column, fmt::format("{} is not above 0", number_text(*value)));
  return 0;
}

double share(CsvRow& row, std::string_view column) {
  if (row.text(column).empty()) return row.required_number(column);
  const std::optional<double> value = row.number(column);
  if (!value || (*value > 0 && *value <= 1)) return value.value_or(1.0);
  row.problem(column, fmt::format("{} is not a share", number_text(*value)), "it must be above 0 and at most 1",
              *value >= 2 && *value <= 100
                  ? fmt::format("write {} for {} %", number_text(*value / 100), number_text(*value))
                  : "");
  return 1;
}

int whole(CsvRow& row, std::string_view column, int low, int fallback) {
  const std::optional<double> value = row.number(column);
  if (!value) return fallback;
  if (*value >= low && *value <= std::numeric_limits<int>::max() && std::floor(*value) == *value) {
    return static_cast<int>(*value);
  }
  row.problem(column, fmt::format("{} is not a whole number of at least {}", number_text(*value), low));
  return fallback;
}

std::string one_of(CsvRow& row, std::string_view column, const std::vector<std::string>& names) {
  std::string name = row.required_text(column);
  if (!name.empty() && !contains(names, name)) {
    row.problem(column, fmt::format("unknown {} \"{}\"", column, name), "", did_you_mean(name, names));
  }
  return name;
}

std::string reference(CsvRow& row, std::string_view column, const std::vector<std::string>& ids,
                      std::string_view what) {
  std::string id = row.text(column);
  if (!id.empty() && !ids.empty() && !contains(ids, id)) {
    row.problem(column, fmt::format("unknown {} \"{}\"", what, id), fmt::format("no such id in {}s.csv", what),
                did_you_mean(id, ids));
  }
  return id;
}

Provenance read_provenance(CsvRow& row, const std::vector<Source>* sources, const std::vector<std::string>& columns) {
  Provenance provenance{row.required_text("source"), row.text("assumed"), row.text("notes")};
  if (sources != nullptr && !sources->empty() && !provenance.source.empty()) check_sources(row, *sources);
  check_assumed(row, columns);
  return provenance;
}

}  // namespace orrery
