#include "analysis/reports/shared_figures.hpp"

#include <algorithm>

namespace orrery {

std::int64_t participating_devices(const ResultRow& row) {
  if (row.strategy->kind == StrategyKind::federated) return row.scenario->federation.clients();
  return std::max<std::int64_t>(row.strategy->devices, static_cast<std::int64_t>(row.way->placement.size()));
}

std::optional<Ranged> step_range(const ResultRow& row) {
  if (!row.simulated() || !row.way->layout || row.way->layout->step_time.value <= 0) return std::nullopt;
  // The closed form's, as shares of it: the simulated step differs by what contends.
  const Ranged& range = row.way->layout->step_time;
  const double step = row.time.step.value();
  return Ranged{step, step * (range.low / range.value), step * (range.high / range.value)};
}

}  // namespace orrery
