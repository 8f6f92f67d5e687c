// Who the clients of a co-simulated strategy are. Drawn again wherever it is needed: a million clients need not travel
// between processes.
#pragma once

#include "scenarios/scenario.hpp"
#include "topologies/population.hpp"

namespace orrery {

/// federated: [federation]'s groups. async: the devices of the strategy's cluster, each behind its share of its node's
/// network link, and the parameter server behind a network link of its own. `seed`: the scenario's, or that of a
/// repetition (Way::seed).
Population client_population(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed);

}  // namespace orrery
