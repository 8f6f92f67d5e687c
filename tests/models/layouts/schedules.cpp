// The order of work in a pipeline.
#include "models/layouts/schedules.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tests/catch.hpp"

namespace orrery {
namespace {

std::string text_of(const std::vector<Task>& tasks) {
  std::string text;
  for (const Task& task : tasks) {
    text += (task.kind == Task::Kind::forward ? "F" : "B") + std::to_string(task.microbatch) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("GPipe works forward through all micro-batches, then backward in reverse") {
  CHECK(text_of(task_order(PipelineSchedule::gpipe, 0, 2, 3)) == "F0 F1 F2 B2 B1 B0 ");
  CHECK(text_of(task_order(PipelineSchedule::gpipe, 1, 2, 3)) == "F0 F1 F2 B2 B1 B0 ");
}

TEST_CASE("1F1B warms up with one forward less per stage, then alternates") {
  CHECK(text_of(task_order(PipelineSchedule::one_f_one_b, 0, 3, 4)) == "F0 F1 F2 B0 F3 B1 B2 B3 ");
  CHECK(text_of(task_order(PipelineSchedule::one_f_one_b, 1, 3, 4)) == "F0 F1 B0 F2 B1 F3 B2 B3 ");
  CHECK(text_of(task_order(PipelineSchedule::one_f_one_b, 2, 3, 4)) == "F0 B0 F1 B1 F2 B2 F3 B3 ");
  CHECK(text_of(task_order(PipelineSchedule::one_f_one_b, 0, 4, 2)) == "F0 F1 B0 B1 ");
  CHECK(text_of(one_after_the_other(2)) == "F0 B0 F1 B1 ");
}

TEST_CASE("1F1B keeps min(p - s, m) micro-batches, GPipe all of them") {
  for (int stages = 1; stages <= 6; ++stages) {
    for (int microbatches = 1; microbatches <= 8; ++microbatches) {
      for (int stage = 0; stage < stages; ++stage) {
        const auto order = task_order(PipelineSchedule::one_f_one_b, stage, stages, microbatches);
        CHECK(most_in_flight(order) == std::min(stages - stage, microbatches));
        CHECK(order.size() == static_cast<std::size_t>(2 * microbatches));
        CHECK(most_in_flight(task_order(PipelineSchedule::gpipe, stage, stages, microbatches)) == microbatches);
      }
    }
  }
}

TEST_CASE("every chunk of every micro-batch runs forward and backward once, on no stage more than its schedule keeps") {
  const auto [schedule, chunks] =
      GENERATE(std::pair{PipelineSchedule::gpipe, 1}, std::pair{PipelineSchedule::one_f_one_b, 1},
               std::pair{PipelineSchedule::one_f_one_b, 3}, std::pair{PipelineSchedule::zero_bubble, 1});
  const int stages = 4, microbatches = 8;
  for (int stage = 0; stage < stages; ++stage) {
    const std::vector<Task> tasks = task_order(schedule, stage, stages, microbatches, chunks);
    std::map<std::pair<int, int>, std::vector<Task::Kind>> passes;
    for (const Task& task : tasks) passes[{task.microbatch, task.chunk}].push_back(task.kind);
    CHECK(passes.size() == static_cast<std::size_t>(microbatches * chunks));
    std::vector<Task::Kind> wanted = {Task::Kind::forward, Task::Kind::backward};
    if (schedule == PipelineSchedule::zero_bubble) wanted.push_back(Task::Kind::weights);
    for (const auto& [which, kinds] : passes) CHECK(kinds == wanted);
  }
  const int kept = most_in_flight(task_order(schedule, 0, stages, microbatches, chunks));
  const int expected = schedule == PipelineSchedule::gpipe ? microbatches
                       : chunks == 3                       ? 2 * 3 + 2 * 4 + 1  // warm-up and one
                                                           : stages;
  CHECK(kept == expected);
}

}  // namespace orrery
