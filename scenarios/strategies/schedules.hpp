// In which order a pipeline stage works on its micro-batches.
#pragma once

#include <cstdint>
#include <vector>

#include "scenarios/scenario.hpp"

namespace orrery {

struct Task {
  enum class Kind : std::uint8_t { forward, backward } kind = Kind::forward;
  int microbatch = 0;
  bool operator==(const Task&) const = default;
};

/// GPipe (Huang et al. 2019, figure 2c): all forward passes, then all backward passes in reverse order. 1F1B
/// (PipeDream-Flush, Narayanan et al. 2021, figure 3): stages - stage - 1 forward passes to warm up, then one forward
/// and one backward in turn, then the remaining backward passes.
std::vector<Task> task_order(PipelineSchedule schedule, int stage, int stages, int microbatches);

/// Each micro-batch forward and backward before the next begins.
std::vector<Task> one_after_the_other(int microbatches);

/// Most micro-batches whose activations a stage keeps at once while it works in this order.
int most_in_flight(const std::vector<Task>& tasks);

}  // namespace orrery
