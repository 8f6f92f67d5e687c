// Metrics by the names and units that rows give them.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/measured/metrics.hpp"

namespace orrery {

/// Every metric that can be predicted, in the order of the tables.
std::vector<Metric> all_metrics();

/// The metric of the row's name, either case, and unit; null when `metrics` have none.
const Metric* find_metric(const MeasuredRow& row, const std::vector<Metric>& metrics);

/// Same; throws RowSkipped with the nearest names or units when there is none.
const Metric& known_metric(const MeasuredRow& row, const std::vector<Metric>& metrics);

/// "throughput: tokens/s, sequences/s, ..." of each, "time" for any of time_unit_names().
std::vector<std::string> metric_lines(const std::vector<Metric>& metrics);

}  // namespace orrery
