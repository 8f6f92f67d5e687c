// Sums in a fixed order.
#pragma once

#include <cstddef>
#include <span>

#include "models/kernels/softmax_cross_entropy.hpp"

namespace orrery {

/// sum += numbers.
inline void add(std::span<const float> numbers, std::span<float> sum) {
  const float* __restrict from = numbers.data();
  float* __restrict to = sum.data();
  for (std::size_t i = 0; i < sum.size(); ++i) to[i] += from[i];
}

/// Sum of the results, first to last.
inline BatchResult total(std::span<const BatchResult> results) {
  BatchResult sum;
  for (const BatchResult& result : results) sum += result;
  return sum;
}

}  // namespace orrery
