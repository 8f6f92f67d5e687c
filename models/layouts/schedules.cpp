#include "models/layouts/schedules.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Kind = Task::Kind;

void gpipe(int microbatches, std::vector<Task>& tasks) {
  for (int m = 0; m < microbatches; ++m) tasks.push_back({Kind::forward, m});
  for (int m = microbatches; m-- > 0;) tasks.push_back({Kind::backward, m});
}

/// `add(kind, k)` for every pass, the k-th forward or backward one of `all`.
template <typename Add>
void one_forward_one_backward(int warm_up, int all, const Add& add) {
  for (int k = 0; k < warm_up; ++k) add(Kind::forward, k);
  for (int k = warm_up; k < all; ++k) {
    add(Kind::forward, k);
    add(Kind::backward, k - warm_up);
  }
  for (int k = all - warm_up; k < all; ++k) add(Kind::backward, k);
}

/// The k-th forward (or backward) pass of a stage over all its chunks: groups of `stages` micro-batches go through one
/// chunk after the other, backward from the last chunk on.
Task interleaved_task(Kind kind, int k, int stages, int chunks) {
  const int group = k / (stages * chunks), within = k % (stages * chunks);
  const int chunk = within / stages;
  return {kind, group * stages + within % stages, kind == Kind::forward ? chunk : chunks - 1 - chunk};
}

void interleaved(int stage, int stages, int microbatches, int chunks, std::vector<Task>& tasks) {
  ORRERY_EXPECT(microbatches % stages == 0);
  const int all = microbatches * chunks;
  // With as many micro-batches as stages Megatron-LM warms up with all of them; the order of times is the same.
  const int warm_up = std::min(all, 2 * (stages - stage - 1) + (chunks - 1) * stages);
  one_forward_one_backward(warm_up, all,
                           [&](Kind kind, int k) { tasks.push_back(interleaved_task(kind, k, stages, chunks)); });
}

/// 1F1B with the gradients of weights apart: those of a micro-batch follow the backward pass `stage` micro-batches
/// later, the last of them fill the end.
void zero_bubble(int stage, int warm_up, int microbatches, std::vector<Task>& tasks) {
  int done = 0;
  one_forward_one_backward(warm_up, microbatches, [&](Kind kind, int m) {
    tasks.push_back({kind, m});
    if (kind == Kind::backward && m >= stage) tasks.push_back({Kind::weights, done++});
  });
  while (done < microbatches) tasks.push_back({Kind::weights, done++});
}

}  // namespace

void write_task_order(PipelineSchedule schedule, int stage, int stages, int microbatches, int chunks,
                      std::vector<Task>& tasks) {
  ORRERY_EXPECT(chunks == 1 || schedule == PipelineSchedule::one_f_one_b);
  tasks.clear();
  const int warm_up = std::min(stages - stage - 1, microbatches);
  if (schedule == PipelineSchedule::gpipe) return gpipe(microbatches, tasks);
  if (schedule == PipelineSchedule::zero_bubble) return zero_bubble(stage, warm_up, microbatches, tasks);
  if (chunks > 1) return interleaved(stage, stages, microbatches, chunks, tasks);
  one_forward_one_backward(warm_up, microbatches, [&](Kind kind, int m) { tasks.push_back({kind, m}); });
}

std::vector<Task> task_order(PipelineSchedule schedule, int stage, int stages, int microbatches, int chunks) {
  std::vector<Task> tasks;
  write_task_order(schedule, stage, stages, microbatches, chunks, tasks);
  return tasks;
}

std::vector<Task> one_after_the_other(int microbatches) {
  return task_order(PipelineSchedule::one_f_one_b, 0, 1, microbatches);
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
