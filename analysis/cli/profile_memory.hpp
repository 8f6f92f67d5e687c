// A profile of what this machine can hold, or why it cannot.
#pragma once

#include "models/training/profiler.hpp"

namespace orrery {

/// measure_profile(). Throws Infeasible with the sizes and what to do when weights and gradients alone are more than
/// this machine's memory, or when it runs out of it.
StepProfile measure_within_memory(const LayerGraph& network, const ProfileOptions& options);

}  // namespace orrery
