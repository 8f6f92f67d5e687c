#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"

namespace orrery {

namespace {

const CsvColumns& columns() {
  static const CsvColumns names = {
      {"id", "kernel_overhead_us", "memory_efficiency", "optimizer_bytes_sgd", "optimizer_bytes_momentum",
       "optimizer_bytes_adam", "straggler_per_doubling", "source"},
      {}};
  return names;
}

double at_least_zero(CsvRow& row, std::string_view column) {
  const double value = row.required_number(column);
  if (value < 0.0) row.problem(column, "must be at least 0");
  return value;
}

double share(CsvRow& row, std::string_view column) {
  const double value = row.required_number(column);
  if (!row.text(column).empty() && (value <= 0.0 || value > 1.0)) row.problem(column, "must be above 0 and at most 1");
  return value;
}

std::vector<FrameworkProfile> read_rows(CsvTable table) {
  std::vector<FrameworkProfile> frameworks;
  std::set<std::string> ids;
  for (CsvRow& row : table.rows()) {
    FrameworkProfile framework;
    framework.id = row.required_text("id");
    framework.source = row.required_text("source");
    framework.kernel_overhead = Seconds(at_least_zero(row, "kernel_overhead_us") * micro);
    framework.memory_efficiency = share(row, "memory_efficiency");
    framework.optimizer_bytes_sgd = at_least_zero(row, "optimizer_bytes_sgd");
    framework.optimizer_bytes_momentum = at_least_zero(row, "optimizer_bytes_momentum");
    framework.optimizer_bytes_adam = at_least_zero(row, "optimizer_bytes_adam");
    framework.straggler_per_doubling = at_least_zero(row, "straggler_per_doubling");
    if (!ids.insert(framework.id).second) {
      row.problem("id", "framework \"" + framework.id + "\" is described twice", "", "remove one of the rows");
    }
    frameworks.push_back(std::move(framework));
  }
  return frameworks;
}

}  // namespace

std::vector<FrameworkProfile> read_frameworks(Problems& problems) {
  const auto path = data_directory() / "models" / "cost" / "frameworks.csv";
  return read_rows(CsvTable::read(path.string(), columns(), problems));
}

std::vector<FrameworkProfile> parse_frameworks(std::string_view text, const std::string& file, Problems& problems) {
  return read_rows(CsvTable::parse(text, file, columns(), problems));
}

}  // namespace orrery
