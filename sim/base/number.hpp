// Counts as factors of products that may leave the whole numbers.
#pragma once

#include <cstdint>

namespace orrery {

/// Exact up to 2^53.
constexpr double number(std::int64_t count) {
  return static_cast<double>(count);
}

}  // namespace orrery
