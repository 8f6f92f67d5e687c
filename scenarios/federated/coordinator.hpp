// Who does what when: one coordinator per way of working together, one file each and one line in the table. Timing
// comes from the network, weights from the Learner.
#pragma once

#include <string>
#include <vector>

#include "scenarios/federated/co_simulation.hpp"

namespace orrery {

struct CoordinatorEntry {
  Coordination kind;
  std::string formula;  // of a server step's time, for notes
  void (*run)(CoSimulation& simulation);
  /// Weights that the learner keeps: the global ones, and one for each edge or client where these have their own.
  std::size_t (*slots)(const FederatedOptions& options, std::size_t clients);
};
const CoordinatorEntry& coordinator_of(const FederatedOptions& options);

/// Runs the strategy on the simulated clock until its rounds are done or the target is reached. Fills federated, curve,
/// steps, target_reached, samples_per_step and model_flops of `way`. Throws Infeasible for what cannot be, a run that
/// makes no progress among it.
void run_federated(const FederatedJob& job, Way& way, const Progress& progress);

// One file each.
void run_rounds(CoSimulation& simulation);
void run_asynchronous(CoSimulation& simulation);
void run_hierarchical(CoSimulation& simulation);
void run_gossip(CoSimulation& simulation);
void run_split(CoSimulation& simulation);

}  // namespace orrery
