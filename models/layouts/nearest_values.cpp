#include "models/layouts/nearest_values.hpp"

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

bool has_devices_for(const TrainingJob& job, const Layout& layout, std::int64_t now, std::int64_t wanted) {
  const std::int64_t there = job.cluster.devices(), used = layout.devices();
  if (used == there) return layout.dp * now % wanted == 0;
  return used / now * wanted <= there;
}

std::string nearest_degrees(const TrainingJob& job, const Layout& layout, std::int64_t now, std::int64_t most,
                            const std::function<bool(std::int64_t)>& would_do) {
  const std::string here = nearest_values(
      now, most, [&](std::int64_t degree) { return would_do(degree) && has_devices_for(job, layout, now, degree); });
  return here.empty() ? nearest_values(now, most, would_do) : here;
}

}  // namespace orrery
