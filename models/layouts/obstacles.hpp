// Why a layout cannot be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/layouts/blocks.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Every constraint but memory that a layout breaks, one line each: what, why, and the nearest feasible values.
std::vector<std::string> layout_obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout);

/// "4 or 8": the divisors of `whole` next below and next above `value`.
std::string nearest_divisors(std::int64_t whole, std::int64_t value);

}  // namespace orrery
