// What `explain` says of co-simulated strategies: nothing is simulated for it.
#pragma once

#include <string>

#include "scenarios/scenario.hpp"

namespace orrery {

/// Algorithm, time of a server step, bytes of a client and of a step, and what staleness, masks and noise amount to.
/// Throws Infeasible for a network that cannot be split and a graph that cannot be.
std::string explain_cosimulated(const Scenario& scenario, const StrategySpec& strategy);

/// Lines for the section of formulas; empty without co-simulated strategies.
std::string federated_formulas(const Scenario& scenario);

}  // namespace orrery
