#include "scenarios/strategies/schedules.hpp"

#include <algorithm>

namespace orrery {
namespace {

std::vector<Task> gpipe(int microbatches) {
  std::vector<Task> tasks;
  for (int m = 0; m < microbatches; ++m) tasks.push_back({Task::Kind::forward, m});
  for (int m = microbatches; m-- > 0;) tasks.push_back({Task::Kind::backward, m});
  return tasks;
}

std::vector<Task> one_forward_one_backward(int warm_up, int microbatches) {
  std::vector<Task> tasks;
  for (int m = 0; m < warm_up; ++m) tasks.push_back({Task::Kind::forward, m});
  for (int m = warm_up; m < microbatches; ++m) {
    tasks.push_back({Task::Kind::forward, m});
    tasks.push_back({Task::Kind::backward, m - warm_up});
  }
  for (int m = microbatches - warm_up; m < microbatches; ++m) tasks.push_back({Task::Kind::backward, m});
  return tasks;
}

}  // namespace

std::vector<Task> task_order(PipelineSchedule schedule, int stage, int stages, int microbatches) {
  if (schedule == PipelineSchedule::gpipe) return gpipe(microbatches);
  return one_forward_one_backward(std::min(stages - stage - 1, microbatches), microbatches);
}

std::vector<Task> one_after_the_other(int microbatches) {
  return one_forward_one_backward(0, microbatches);
}

int most_in_flight(const std::vector<Task>& tasks) {
  int now = 0, most = 0;
  for (const Task& task : tasks) {
    now += task.kind == Task::Kind::forward ? 1 : -1;
    most = std::max(most, now);
  }
  return most;
}

}  // namespace orrery
