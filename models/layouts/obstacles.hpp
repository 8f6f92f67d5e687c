// Why a layout cannot be.
#pragma once

#include <string>
#include <vector>

#include "models/layouts/blocks.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/nearest_degrees.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Every constraint but memory that a layout breaks, one line each: what, why, and the nearest feasible values.
std::vector<std::string> layout_obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout);

}  // namespace orrery
