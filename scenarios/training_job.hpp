// From a scenario to what layouts are judged for.
#pragma once

#include "models/layouts/training_job.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// The job of a strategy, hybrid or as if it were: its workload, cluster, precision and tokens, with the laws of its
/// device and links (topologies/catalogue/device_laws.csv, fabric_laws.csv; a node without a link of its own talks over
/// the network's). Throws InvalidInput when a file of laws is defective.
TrainingJob training_job(const Scenario& scenario, const StrategySpec& strategy);

}  // namespace orrery
