// Which federated ways are executed.
#pragma once

#include <string>

#include "scenarios/scenario.hpp"

namespace orrery {

/// What keeps a federated strategy from being executed, in words; empty: nothing.
std::string obstacle_to_measuring(const Scenario& scenario, const StrategySpec& strategy);

}  // namespace orrery
