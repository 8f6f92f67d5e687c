// The processes that a test of real execution runs in. Every rank runs every test: a test calls the communicator on all
// of them or on none, and uses CHECK, so that no rank leaves the others waiting.
#pragma once

#include <string>
#include <vector>

#include "scenarios/measure/communicator.hpp"
#include "scenarios/scenario.hpp"

namespace orrery::testing {

Communicator& communicator();

/// Device `host` (1 GFLOP/s) and link `net`: what a scenario needs to be planned. The catalogue that ships would do as
/// well, and change.
const Catalogue& little_catalogue();

/// A scenario of `nodes` hosts with these [workload] keys and [[strategy]] tables.
Scenario scenario_on(int nodes, const std::string& workload, const std::string& strategies);

/// Weights after `steps` steps of strategy `index`, on random samples; complete on rank 0.
std::vector<float> really_trained(const Scenario& scenario, std::size_t index, int steps);
/// On rank 0: the largest difference from the weights that TrainingStep gives in that process alone, over 1 + the
/// larger of the two numbers. Elsewhere 0.
double distance_from_alone(const Scenario& scenario, int steps);

}  // namespace orrery::testing
