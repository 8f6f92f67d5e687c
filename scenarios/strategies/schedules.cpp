#include "scenarios/strategies/schedules.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Kind = Task::Kind;

std::vector<Task> gpipe(int microbatches) {
  std::vector<Task> tasks;
  for (int m = 0; m < microbatches; ++m) tasks.push_back({Kind::forward, m});
  for (int m = microbatches; m-- > 0;) tasks.push_back({Kind::backward, m});
  return tasks;
}

std::vector<Task> one_forward_one_backward(int warm_up, int microbatches) {
  std::vector<Task> tasks;
  for (int m = 0; m < warm_up; ++m) tasks.push_back({Kind::forward, m});
  for (int m = warm_up; m < microbatches; ++m) {
    tasks.push_back({Kind::forward, m});
    tasks.push_back({Kind::backward, m - warm_up});
  }
  for (int m = microbatches - warm_up; m < microbatches; ++m) tasks.push_back({Kind::backward, m});
  return tasks;
}

/// The k-th forward (or backward) pass of a stage over all its chunks: groups of `stages` micro-batches go through one
/// chunk after the other, backward from the last chunk on.
Task interleaved_task(Kind kind, int k, int stages, int chunks) {
  const int group = k / (stages * chunks), within = k % (stages * chunks);
  const int chunk = within / stages;
  return {kind, group * stages + within % stages, kind == Kind::forward ? chunk : chunks - 1 - chunk};
}

std::vector<Task> interleaved(int stage, int stages, int microbatches, int chunks) {
  ORRERY_EXPECT(microbatches % stages == 0);
  const int all = microbatches * chunks;
  // With as many micro-batches as stages Megatron-LM warms up with all of them; the order of times is the same.
  const int warm_up = std::min(all, 2 * (stages - stage - 1) + (chunks - 1) * stages);
  std::vector<Task> tasks;
  const auto add = [&](Kind kind, int k) { tasks.push_back(interleaved_task(kind, k, stages, chunks)); };
  for (int k = 0; k < warm_up; ++k) add(Kind::forward, k);
  for (int k = warm_up; k < all; ++k) {
    add(Kind::forward, k);
    add(Kind::backward, k - warm_up);
  }
  for (int k = all - warm_up; k < all; ++k) add(Kind::backward, k);
  return tasks;
}

/// 1F1B with the gradients of weights apart: those of a micro-batch follow the backward pass `stage` micro-batches
/// later, the last of them fill the end.
std::vector<Task> zero_bubble(int stage, const std::vector<Task>& passes, int microbatches) {
  std::vector<Task> tasks;
  int done = 0;
  for (const Task& pass : passes) {
    tasks.push_back(pass);
    if (pass.kind == Kind::backward && pass.microbatch >= stage) tasks.push_back({Kind::weights, done++});
  }
  while (done < microbatches) tasks.push_back({Kind::weights, done++});
  return tasks;
}

}  // namespace

std::vector<Task> task_order(PipelineSchedule schedule, int stage, int stages, int microbatches, int chunks) {
  ORRERY_EXPECT(chunks == 1 || schedule == PipelineSchedule::one_f_one_b);
  if (schedule == PipelineSchedule::gpipe) return gpipe(microbatches);
  if (chunks > 1) return interleaved(stage, stages, microbatches, chunks);
  std::vector<Task> passes = one_forward_one_backward(std::min(stages - stage - 1, microbatches), microbatches);
  if (schedule == PipelineSchedule::zero_bubble) return zero_bubble(stage, passes, microbatches);
  return passes;
}

std::vector<Task> one_after_the_other(int microbatches) {
  return one_forward_one_backward(0, microbatches);
}

int most_in_flight(const std::vector<Task>& tasks) {
  const auto is_split = std::any_of(tasks.begin(), tasks.end(), [](const Task& t) { return t.kind == Kind::weights; });
  const Kind frees = is_split ? Kind::weights : Kind::backward;
  int now = 0, most = 0;
  for (const Task& task : tasks) {
    if (task.kind == Kind::forward) ++now;
    if (task.kind == frees) --now;
    most = std::max(most, now);
  }
  return most;
}

}  // namespace orrery
