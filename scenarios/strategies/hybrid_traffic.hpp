// What devices of a layout send that no wire of its simulation carries.
#pragma once

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/strategies/hybrid_platform.hpp"

namespace orrery {

/// Sets figures.beside_node and beside_network, of one step and all devices: what the collectives of the program leave
/// of all that the layout exchanges. Those are parameters gathered after the update, sums of zero_group's shards
/// at the end of the step or among replicas of several kinds, gradients of experts, sums made in switches, and what
/// computing cannot hide though the framework's share of overlap says so. Prices count every rank as if on a node as
/// full as its group's fullest; of what is left as large a part crosses nodes as of the states that the program
/// exchanges (a ring leaves each of its nodes once), and what does not cross stays inside.
void add_traffic_beside(const StepPrediction& prediction, const Program& program, const HybridPlatform& platform,
                        LayoutFigures& figures);

}  // namespace orrery
