// Norms in a fixed order, and what gradient clipping makes of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>

namespace orrery {

/// Sum of number(i)^2 for i in [0, count), in double: 16 partial sums side by side, which vectorise, then their sum.
/// The order depends on count alone.
template <class Number>
double sum_of_squares(std::size_t count, Number number) {
  constexpr std::size_t lanes = 16;
  std::array<double, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double value = number(i + lane);
      sums[lane] += value * value;
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) {
    const double value = number(i);
    sums[lane] += value * value;
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

inline double sum_of_squares(std::span<const float> numbers) {
  const float* __restrict data = numbers.data();
  return sum_of_squares(numbers.size(), [data](std::size_t i) { return static_cast<double>(data[i]); });
}

/// What gradients of this norm are multiplied by so that it becomes at most `largest`: min(1, largest / (norm + 1e-6)),
/// as PyTorch's clip_grad_norm_ (Pascanu et al. 2013). A norm that is not a number gives a factor that is none.
inline double clip_factor(double norm, double largest) {
  return std::min(largest / (norm + 1e-6), 1.0);
}

}  // namespace orrery
