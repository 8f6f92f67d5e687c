// What to change of a way that does not fit into the memory of its devices.
#pragma once

#include <string>

#include "scenarios/plan.hpp"

namespace orrery {

/// The keys that make it fit, as few as possible, of those the quickest: "zero_stage 1, recompute full". Of a
/// layout its ZeRO stage, recomputation, micro-batch, schedule (1f1b for gpipe) and ep, where these are not enough tp
/// and pp of the same devices with them, as little larger as they can be; of other ways recomputation and accumulation.
/// Empty: none of these is enough.
std::string memory_remedy(const Job& job);

}  // namespace orrery
