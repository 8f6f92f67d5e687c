#include "analysis/validation/measured/metric_names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Known, and not predicted.
constexpr std::string_view ends_of_fluctuation[] = {"algbw_min", "algbw_max"};

bool has_name(const Metric& metric, const std::string& name) {
  return edit_distance(metric.name, name) == 0;  // ignores case
}

bool has_unit(const Metric& metric, const std::string& unit) {
  return metric.unit == "time" ? seconds_per(unit).has_value() : metric.unit == unit;
}

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

std::vector<std::string> names_of(const std::vector<Metric>& metrics) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics) add_once(names, metric.name);
  return names;
}

/// "time" as it stands in the table.
std::vector<std::string> units_of(const std::vector<Metric>& metrics, const std::string& name) {
  std::vector<std::string> units;
  for (const Metric& metric : metrics) {
    if (has_name(metric, name)) add_once(units, metric.unit);
  }
  return units;
}

[[noreturn]] void refuse_unit(const MeasuredRow& row, std::vector<std::string> units) {
  const auto time = std::find(units.begin(), units.end(), "time");
  if (time != units.end()) units = time_unit_names();
  throw RowSkipped(
      fmt::format("unit \"{}\" of {} is unknown - {}", row.unit, row.metric, did_you_mean(row.unit, units)));
}

}  // namespace

std::vector<Metric> all_metrics() {
  std::vector<Metric> all;
  for (const auto part : {training_metrics, memory_metrics, layer_metrics, ratio_metrics, length_metrics,
                          collective_metrics, kernel_metrics, power_metrics}) {
    const std::vector<Metric> metrics = part();
    all.insert(all.end(), metrics.begin(), metrics.end());
  }
  return all;
}

const Metric* find_metric(const MeasuredRow& row, const std::vector<Metric>& metrics) {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&row](const Metric& metric) {
    return has_name(metric, row.metric) && has_unit(metric, row.unit);
  });
  return found == metrics.end() ? nullptr : &*found;
}

const Metric& known_metric(const MeasuredRow& row, const std::vector<Metric>& metrics) {
  if (const Metric* metric = find_metric(row, metrics)) return *metric;
  std::vector<std::string> units = units_of(metrics, row.metric);
  if (!units.empty()) refuse_unit(row, std::move(units));
  for (const std::string_view name : ends_of_fluctuation) {
    if (row.metric == name) throw RowSkipped("one end of a fluctuating figure is not predicted");
  }
  throw RowSkipped(fmt::format("metric {} is not predicted - {}", row.metric,
                               did_you_mean(row.metric, names_of(metrics), "orrery validate --help")));
}

std::vector<std::string> metric_lines(const std::vector<Metric>& metrics) {
  std::vector<std::string> lines;
  for (const std::string& name : names_of(metrics)) {
    lines.push_back(fmt::format("{}: {}", name, join(units_of(metrics, name), ", ")));
  }
  return lines;
}

}  // namespace orrery
