// What `explain` tells of a layout.
#pragma once

#include <string>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/strategies/hybrid_platform.hpp"

namespace orrery {

/// The layout, its stages and their prices, the exchange of gradients, memory, the closed form's parts and range, and
/// how it is folded.
std::vector<std::string> hybrid_notes(const LayoutJudge& judge, const HybridOptions& options,
                                      const StepPrediction& prediction, const LayoutPrices& prices,
                                      const HybridPlatform& platform);

/// What of these options the closed form has not; empty: nothing.
std::string left_out_of_closed_form(const HybridOptions& options);

}  // namespace orrery
