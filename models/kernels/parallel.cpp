#include "models/kernels/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <optional>

#include "models/kernels/aligned_vector.hpp"

#ifdef __SSE2__
#include <pmmintrin.h>
#include <xmmintrin.h>
#endif

namespace orrery {

#ifdef __SSE2__
FlushDenormals::FlushDenormals() : saved_(_mm_getcsr()) {
  _mm_setcsr(saved_ | _MM_FLUSH_ZERO_ON | _MM_DENORMALS_ZERO_ON);
}
FlushDenormals::~FlushDenormals() {
  // Only the mode goes back; exception flags raised meanwhile stay raised.
  constexpr unsigned int mode = _MM_FLUSH_ZERO_MASK | _MM_DENORMALS_ZERO_MASK;
  _mm_setcsr((_mm_getcsr() & ~mode) | (saved_ & mode));
}
#else
// Other processors keep their default: slower on denormals, right all the same.
FlushDenormals::FlushDenormals() = default;
FlushDenormals::~FlushDenormals() = default;
#endif

namespace {

/// Libraries with threads of their own use as many as this thread would start: one, while alive.
class OneThreadEach {
 public:
  OneThreadEach() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThreadEach() { omp_set_num_threads(saved_); }
  OneThreadEach(const OneThreadEach&) = delete;
  OneThreadEach& operator=(const OneThreadEach&) = delete;

 private:
  int saved_;
};

/// The exception of the lowest task: one may not leave a parallel region, it would end the program.
class FirstFailure {
 public:
  explicit FirstFailure(std::size_t tasks) : task_(tasks) {}
  void keep(std::size_t task) {
    const std::exception_ptr exception = std::current_exception();
#pragma omp critical(orrery_first_failure)
    if (task < task_) {
      task_ = task;
      exception_ = exception;
    }
  }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::size_t task_;
  std::exception_ptr exception_;
};

/// Deals tasks out: every worker has a run of them, the same one each time, so that it finds in its core's cache what
/// it left there the last time; who is through with its own takes from the others'.
class SharedTasks {
 public:
  SharedTasks(std::size_t tasks, std::size_t workers) : count_(std::min(workers, most_runs)) {
    for (std::size_t run = 0; run < count_; ++run) {
      runs_[run].next = tasks * run / count_;
      runs_[run].end = tasks * (run + 1) / count_;
    }
  }
  std::optional<std::size_t> take(std::size_t worker) {
    for (std::size_t turn = 0; turn < count_; ++turn) {
      Run& run = runs_[(worker + turn) % count_];
      if (run.next.load(std::memory_order_relaxed) >= run.end) continue;
      const std::size_t task = run.next.fetch_add(1, std::memory_order_relaxed);
      if (task < run.end) return task;
    }
    return std::nullopt;
  }

 private:
  struct alignas(cache_line_bytes) Run {
    std::atomic<std::size_t> next{0};
    std::size_t end = 0;
  };
  static constexpr std::size_t most_runs = 64;  // of more workers some begin in the same run
  std::size_t count_;
  std::array<Run, most_runs> runs_;
};

}  // namespace

std::size_t default_workers() {
  return static_cast<std::size_t>(std::max(1, omp_get_max_threads()));
}

void for_each_task(std::size_t tasks, std::size_t workers, TaskBody body) {
  FirstFailure failures(tasks);
  const auto run = [&](std::size_t task, std::size_t worker) {
    try {
      body(task, worker);
    } catch (...) {
      failures.keep(task);
    }
  };
  const std::size_t team = std::min(workers, tasks);
  if (team <= 1 || omp_in_parallel() != 0) {  // a region for one thread would cost, and ask for memory
    const OneThreadEach serial;
    const FlushDenormals flush;
    for (std::size_t task = 0; task < tasks; ++task) run(task, 0);
  } else {
    SharedTasks shared(tasks, team);
#pragma omp parallel num_threads(static_cast <int>(team))
    {
      const OneThreadEach serial;
      const FlushDenormals flush;
      const auto worker = static_cast<std::size_t>(omp_get_thread_num());
      while (const std::optional<std::size_t> task = shared.take(worker)) run(*task, worker);
    }
  }
  failures.rethrow();
}

}  // namespace orrery
