// In which order a pipeline stage works on its micro-batches.
#pragma once

#include <cstdint>
#include <vector>

#include "models/layouts/layout.hpp"

namespace orrery {

/// backward: the whole of it, or, with zero_bubble, the gradients of the inputs alone; weights: those of the weights.
struct Task {
  enum class Kind : std::uint8_t { forward, backward, weights } kind = Kind::forward;
  int microbatch = 0;
  int chunk = 0;  // of the stage's layers, in the order of the network
  bool operator==(const Task&) const = default;
};

/// GPipe (Huang et al. 2019, figure 2c): all forward passes, then all backward passes in reverse order. 1F1B
/// (PipeDream-Flush, Narayanan et al. 2021, figure 3): stages - stage - 1 forward passes to warm up, then one forward
/// and one backward in turn, then the remaining backward passes. Interleaved 1F1B (the same, figure 4, in the order of
/// Megatron-LM): chunk by chunk, `stages` micro-batches each; 2 (stages - stage - 1) + (chunks - 1) stages forward
/// passes to warm up. Contract: `stages` divides the micro-batches then. ZB-H1 (Qi et al. 2023, figure 3 above): 1F1B
/// whose stage s delays the gradients of the weights by s micro-batches, so that no stage keeps more than `stages`.
std::vector<Task> task_order(PipelineSchedule schedule, int stage, int stages, int microbatches, int chunks = 1);
/// The same, in the place of what `tasks` has.
void write_task_order(PipelineSchedule schedule, int stage, int stages, int microbatches, int chunks,
                      std::vector<Task>& tasks);

/// Each micro-batch forward and backward before the next begins.
std::vector<Task> one_after_the_other(int microbatches);

/// Most micro-batches (of one chunk) whose activations a stage keeps at once while it works in this order.
int most_in_flight(const std::vector<Task>& tasks);

}  // namespace orrery
