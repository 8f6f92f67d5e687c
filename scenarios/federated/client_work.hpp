// What one round costs a client and the server in time on their devices, before any network.
#pragma once

#include "scenarios/scenario.hpp"

namespace orrery {

struct LocalWork {
  Seconds forward, recompute, backward, optimizer;  // of the whole local training
  Flops forward_flops, recompute_flops, backward_flops;
  [[nodiscard]] Seconds total() const { return forward + recompute + backward + optimizer; }
};

/// `local_epochs` passes over `samples` samples in batches of `local_batch` (0: all at once; the last batch of an epoch
/// may be smaller) on `device`, `slowdown` times slower than its catalogue row.
LocalWork local_work(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost, double samples,
                     const Device& device, double slowdown);

/// Weighted average of `clients` models on the server: reads every model and writes one, at the server's memory
/// bandwidth.
Seconds aggregation_time(const Scenario& scenario, const CostModel& cost, std::size_t clients, const Device& server);

/// Bytes of the model as sent: its parameters as they lie in memory in the strategy's precision.
Bytes model_bytes(const Scenario& scenario, const StrategySpec& strategy);

}  // namespace orrery
