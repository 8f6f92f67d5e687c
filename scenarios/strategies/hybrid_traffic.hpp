// What devices of a layout send that no wire of its simulation carries.
#pragma once

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"

namespace orrery {

/// Sets figures.beside_node and beside_network, of one step and all devices: traffic inside tp, cp and ep groups, to
/// the network where the group lies on several nodes; and of the states' exchange what `simulated` (one collective, of
/// the gradients of one stage, with ZeRO-3 of one block) leaves: parameters gathered, other blocks and micro-batches,
/// sums of zero_group's shards, experts. Its places are taken as those of the other gradients are.
void add_traffic_beside(const TrainingJob& job, const Layout& layout, const StepPrediction& prediction,
                        const LayoutPrices& prices, const Collective& simulated, LayoutFigures& figures);

}  // namespace orrery
