// Federated averaging on the simulated clock: selection, download, local training, upload over the contended server
// link, average, next round.
#pragma once

#include "scenarios/federated/learner.hpp"
#include "scenarios/way.hpp"
#include "sim/engine/kernel.hpp"

namespace orrery {

struct FederatedJob {
  const Scenario& scenario;
  const StrategySpec& strategy;
  const CostModel& cost;
  Learner& learner;
  Kernel& kernel;   // over build_federation(): client c is host c
  DeviceId server;  // host of the server
};

/// Runs strategy.rounds rounds, or fewer when workload.target_accuracy is reached at an evaluation. Fills records,
/// federated, curve, steps, target_reached, samples_per_step and model_flops of `way`. Rank c is client c, the last
/// rank is the server. A round is synchronous: it ends when the last selected client has reported and the server has
/// averaged. Evaluation takes no simulated time.
void run_fedavg(const FederatedJob& job, Way& way, const Progress& progress);

}  // namespace orrery
