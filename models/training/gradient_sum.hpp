// Sums in a fixed order.
#pragma once

#include <cstddef>
#include <span>

namespace orrery {

/// sum += numbers.
inline void add(std::span<const float> numbers, std::span<float> sum) {
  const float* __restrict from = numbers.data();
  float* __restrict to = sum.data();
  for (std::size_t i = 0; i < sum.size(); ++i) to[i] += from[i];
}

}  // namespace orrery
