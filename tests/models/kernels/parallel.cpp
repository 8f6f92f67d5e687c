#include "models/kernels/parallel.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("every task runs once, on a worker within the limit") {
  for (const std::size_t workers : {1U, 2U, 5U, 70U}) {  // 70: more than runs of tasks are dealt out
    std::vector<std::atomic<int>> runs(workers == 70U ? 1000 : 40);
    std::atomic<std::size_t> largest_worker{0};
    for_each_task(runs.size(), workers, [&](std::size_t task, std::size_t worker) {
      ++runs[task];
      if (worker > largest_worker) largest_worker = worker;
    });
    for (const auto& count : runs) CHECK(count == 1);
    CHECK(largest_worker < workers);
  }
  for_each_task(0, 2, [](std::size_t, std::size_t) { FAIL("no task, no call"); });
}

TEST_CASE("the exception of the lowest failing task is rethrown, after all tasks ran") {
  std::atomic<int> runs{0};
  std::string message;
  try {
    for_each_task(10, 2, [&](std::size_t task, std::size_t) {
      ++runs;
      if (task == 7 || task == 3) throw std::runtime_error("task " + std::to_string(task));
    });
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message == "task 3");
  CHECK(runs == 10);
}

TEST_CASE("a task may itself start tasks: they run serially") {
  std::vector<int> sums(4);
  for_each_task(4, 2, [&](std::size_t outer, std::size_t) {
    for_each_task(5, 3, [&](std::size_t inner, std::size_t worker) {
      if (worker == 0) sums[outer] += static_cast<int>(inner);
    });
  });
  CHECK(sums == std::vector<int>{10, 10, 10, 10});
}

#ifdef __SSE2__
TEST_CASE("tasks flush denormals to zero, and the caller's mode is left alone") {
  volatile float smallest_normal = 1.17549435e-38F;
  std::vector<float> halves(4, 1.0F);
  for_each_task(4, 2, [&](std::size_t task, std::size_t) { halves[task] = smallest_normal * 0.5F; });
  CHECK(halves == std::vector<float>(4, 0.0F));
  CHECK(smallest_normal * 0.5F > 0.0F);
}
#endif

}  // namespace
}  // namespace orrery
