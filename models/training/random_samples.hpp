// Samples for steps whose time matters and whose learning does not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/training/dataset.hpp"
#include "models/training/execution_plan.hpp"

namespace orrery {

/// Uniform pixels, tokens or rows of tables (of the smallest that reads the number), and labels, as the network wants
/// them: their values do not change how long a step takes.
Samples random_samples(const ExecutionPlan& plan, std::size_t count, std::uint64_t seed);

}  // namespace orrery
