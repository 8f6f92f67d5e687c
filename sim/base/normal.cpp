#include "sim/base/normal.hpp"

#include <cmath>
#include <numbers>

#include "sim/base/contract.hpp"

namespace orrery {

double expected_largest(double draws) {
  ORRERY_EXPECT(draws >= 1);
  constexpr double end = 9.0;
  constexpr int steps = 360;
  constexpr double width = 2 * end / steps;
  double sum = 0;
  for (int i = 0; i <= steps; ++i) {
    const double x = -end + width * i;
    const double below = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    const double density = std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    const double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * x * draws * density * std::pow(below, draws - 1);
  }
  return sum * width / 3;
}

}  // namespace orrery
