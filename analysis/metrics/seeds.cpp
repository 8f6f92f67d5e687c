#include "analysis/metrics/seeds.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {

std::optional<Spread> spread(const std::vector<std::optional<double>>& values) {
  const auto missing = [](const std::optional<double>& value) { return !value; };
  if (values.size() < 2 || std::any_of(values.begin(), values.end(), missing)) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const auto& value : values) sum += *value;
  const double mean = sum / count;
  double squares = 0;
  for (const auto& value : values) squares += (*value - mean) * (*value - mean);
  return Spread{mean, std::sqrt(squares / (count - 1))};
}

}  // namespace orrery
