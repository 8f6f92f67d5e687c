#include "models/training/learning_rate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "sim/base/contract.hpp"

namespace orrery {

std::string_view name_of(ScheduleKind kind) {
  static constexpr std::array<std::string_view, 3> names = {"constant", "step", "cosine"};
  return names.at(static_cast<std::size_t>(kind));
}

double rate_share(const LearningRateSchedule& schedule, std::int64_t step) {
  ORRERY_EXPECT(step >= 0);
  if (step < schedule.warm_up) return static_cast<double>(step + 1) / static_cast<double>(schedule.warm_up);
  const std::int64_t since = step - schedule.warm_up;
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return 1.0;
    case ScheduleKind::step: {
      ORRERY_EXPECT(schedule.every >= 1);
      const std::int64_t times = since / schedule.every;
      return std::pow(schedule.factor, static_cast<double>(times));
    }
    case ScheduleKind::cosine: {
      ORRERY_EXPECT(schedule.total > schedule.warm_up);
      const double done = static_cast<double>(since) / static_cast<double>(schedule.total - schedule.warm_up);
      const double wave = (1.0 + std::cos(std::numbers::pi * std::min(1.0, done))) / 2.0;
      return schedule.final_fraction + (1.0 - schedule.final_fraction) * wave;
    }
  }
  return 1.0;
}

}  // namespace orrery
