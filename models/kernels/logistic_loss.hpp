// The cross entropy of a logistic unit.
#pragma once

#include <algorithm>
#include <cmath>

namespace orrery {

/// -t log s(x) - (1 - t) log(1 - s(x)), s the logistic function, without overflow for any x; NaN gives NaN. Its slope
/// by x is s(x) - t.
inline double logistic_loss(double x, double t) {
  return std::max(x, 0.0) - x * t + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace orrery
