// Ways of training executed for real by the processes of this run: the ground truth for the simulation of the same
// scenario, in the same words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/measure/communicator.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct MeasureOptions {
  std::int64_t warm_up = 5;  // steps before the first one that counts
  std::int64_t steps = 0;    // that count; 0: the workload's when it learns, else 30; federated: rounds
  Progress progress;         // called on rank 0
};

/// One step (federated: round) as it was; the warm-up included.
struct MeasuredStep {
  std::int64_t step = 0;  // from 1
  Seconds time;           // of the slowest rank
  double train_loss = 0;  // mean over the batch
};

struct MeasuredWay {
  Way way;  // records: those of the step whose time is the median
  std::vector<MeasuredStep> steps;
};

/// Every process of the run must call it; the result is rank 0's, elsewhere empty. A way that needs more ranks than
/// there are, or cannot be executed, is infeasible. What goes wrong on one rank alone is thrown there.
MeasuredWay measure_way(const Scenario& scenario, std::size_t strategy, const Catalogue& catalogue,
                        Communicator& communicator, const MeasureOptions& options);

/// strategy,step,seconds,train_loss: every step of every way.
std::string steps_csv(const std::vector<MeasuredWay>& ways);

/// Binds this process to the cores of its rank (rank x threads, modulo the cores of the machine), unless the launcher
/// has bound it already. Returns those cores as text, for the record.
std::string pin_to_core(int rank, int threads);

// One file each.
MeasuredWay measure_central(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue,
                            Communicator& communicator, const MeasureOptions& options);
/// Without warm-up: every round learns.
MeasuredWay measure_federated(const Scenario& scenario, const StrategySpec& strategy, Communicator& communicator,
                              const MeasureOptions& options);

}  // namespace orrery
