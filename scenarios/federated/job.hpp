// What a co-simulated strategy runs with.
#pragma once

#include "scenarios/federated/learner.hpp"
#include "scenarios/scenario.hpp"
#include "sim/engine/kernel.hpp"
#include "topologies/population.hpp"

namespace orrery {

/// Owns nothing: all of it outlives the run.
struct FederatedJob {
  const Scenario& scenario;
  const StrategySpec& strategy;
  const CostModel& cost;
  const Population& population;
  Learner& learner;
  EngineKind engine = EngineKind::flow;
  [[nodiscard]] const FederatedOptions& options() const { return strategy.federated; }
};

}  // namespace orrery
