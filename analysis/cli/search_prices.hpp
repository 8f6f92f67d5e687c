// What the layouts of a search draw and cost, by the rules of `orrery run`.
#pragma once

#include <vector>

#include "scenarios/scenario.hpp"
#include "scenarios/search/layout_search.hpp"

namespace orrery {

/// For every number of devices that a layout uses, and for all of the cluster.
PricesByDevices prices_for(const Scenario& scenario, const StrategySpec& strategy, const std::vector<Layout>& layouts);

}  // namespace orrery
