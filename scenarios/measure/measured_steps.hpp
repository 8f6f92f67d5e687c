// Steps as all ranks saw them, and what the many come to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scenarios/measure/measure.hpp"

namespace orrery {

/// A number of each step, from every rank.
using ByRank = std::vector<std::vector<double>>;

/// Steps last as long as the slowest rank; losses and predictions add up. All in seconds and sums over predictions.
std::vector<MeasuredStep> steps_of_all(const ByRank& seconds, const ByRank& losses, const ByRank& predictions);

/// Index of the step whose time is the (lower) median of those after the warm-up.
std::size_t median_step(const std::vector<MeasuredStep>& steps, std::int64_t warm_up);

/// 10th, 50th and 90th percentile of the steps after the warm-up; of the last step when there are none.
MeasuredSteps spread(const std::vector<MeasuredStep>& steps, std::int64_t warm_up);

}  // namespace orrery
