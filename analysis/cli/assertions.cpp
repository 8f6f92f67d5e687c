#include "analysis/cli/assertions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/reports/columns.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

const Column* column_named(const std::string& name) {
  const auto found =
      std::find_if(columns().begin(), columns().end(), [&](const Column& column) { return column.name == name; });
  return found == columns().end() ? nullptr : &*found;
}

std::optional<double> number_of(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth ? 1.0 : 0.0;
  return std::nullopt;
}

std::string subject_of(const AssertSpec& assertion, const std::string& strategy) {
  return fmt::format("{}:{}:{}: assert: {} of {}", assertion.at.file, assertion.at.line, assertion.at.column,
                     assertion.metric, strategy);
}

std::string complaint(const AssertSpec& assertion, const ResultRow& row) {
  const std::string subject = subject_of(assertion, row.strategy->name);
  const std::optional<double> value = number_of(column_named(assertion.metric)->get(row));
  if (!value) return subject + " has no value";
  if (assertion.min && *value < *assertion.min)
    return fmt::format("{} is {}, below min {}", subject, number_text(*value), number_text(*assertion.min));
  if (assertion.max && *value > *assertion.max)
    return fmt::format("{} is {}, above max {}", subject, number_text(*value), number_text(*assertion.max));
  return {};
}

}  // namespace

std::vector<std::string> broken_assertions(const Scenario& scenario, const std::vector<ResultRow>& rows) {
  std::vector<std::string> broken;
  for (const AssertSpec& assertion : scenario.asserts) {
    for (const ResultRow& row : rows) {
      if (!assertion.strategy.empty() && assertion.strategy != row.strategy->name) continue;
      if (std::string text = complaint(assertion, row); !text.empty()) broken.push_back(std::move(text));
    }
  }
  return broken;
}

std::vector<std::string> unjudged_assertions(const Scenario& scenario, const std::string& only) {
  std::vector<std::string> unjudged;
  for (const AssertSpec& assertion : scenario.asserts) {
    if (assertion.strategy.empty() || assertion.strategy == only) continue;
    unjudged.push_back(subject_of(assertion, assertion.strategy) + " is not judged: only " + only + " ran");
  }
  return unjudged;
}

}  // namespace orrery
