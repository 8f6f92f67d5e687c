// How the learning rate changes while training goes on.
#pragma once

#include <cstdint>
#include <string_view>

namespace orrery {

enum class ScheduleKind : std::uint8_t { constant, step, cosine };
std::string_view name_of(ScheduleKind kind);

/// A step is one update of the weights, counted from 0. Federated training counts rounds instead: each client's
/// optimizer lives for one round only.
struct LearningRateSchedule {
  ScheduleKind kind = ScheduleKind::constant;
  std::int64_t warm_up = 0;   // steps in front of the schedule; 0: none
  std::int64_t every = 1;     // step: steps between two changes
  double factor = 0.1;        // step: of the rate at each change
  std::int64_t total = 0;     // cosine: steps until the final rate, the warm-up included; 0: not known yet
  double final_fraction = 0;  // cosine: final rate / learning rate
};

/// Share of the learning rate that step `step` uses. Warm-up (Goyal et al. 2017): (step + 1) / warm_up for step <
/// warm_up. Then, with s = step - warm_up:
/// constant: 1; step: factor^floor(s / every); cosine (Loshchilov and Hutter 2017, without restarts), with x = min(1, s
/// / (total - warm_up)): f + (1 - f) (1 + cos(pi x)) / 2, f = final_fraction.
/// Contract: step >= 0, every >= 1; a cosine has total > warm_up.
double rate_share(const LearningRateSchedule& schedule, std::int64_t step);

}  // namespace orrery
