#include "sim/base/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {
namespace {

/// 0: none.
std::string either(std::int64_t below, std::int64_t above) {
  if (below > 0 && above > 0) return fmt::format("{} or {}", below, above);
  return below + above > 0 ? fmt::format("{}", below + above) : "";
}

}  // namespace

std::string nearest_divisors(std::int64_t whole, std::int64_t value) {
  std::int64_t below = 0, above = 0;
  for (std::int64_t small = 1; small <= whole / small; ++small) {
    if (whole % small != 0) continue;
    for (const std::int64_t divisor : {small, whole / small}) {
      if (divisor < value) below = std::max(below, divisor);
      if (divisor > value) above = above == 0 ? divisor : std::min(above, divisor);
    }
  }
  return either(below, above);
}

std::string nearest_values(std::int64_t value, std::int64_t most, const std::function<bool(std::int64_t)>& would_do) {
  std::int64_t below = std::min(value - 1, most), above = value + 1;
  while (below > 0 && !would_do(below)) --below;
  while (above <= most && !would_do(above)) ++above;
  return either(below, above > most ? 0 : above);
}

}  // namespace orrery
