// Order statistics of repeated measurements.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace orrery {

/// The value below which the given share of the values lies, interpolated between neighbours (0.5: the median).
inline double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace orrery
