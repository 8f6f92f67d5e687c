// What `orrery profile` says of a profile that it has just made: how far it can be trusted.
#pragma once

#include <string>

#include "models/cost/step_profile.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Three tables, those without rows left out: every batch foretold from the others, steps of several threads foretold
/// from those of one, and the law of every kind of layer with the standard errors of its two constants.
std::string profile_report(const StepProfile& profile, const LayerGraph& graph);

}  // namespace orrery
