#include "models/layouts/nearest_degrees.hpp"

namespace orrery {

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
