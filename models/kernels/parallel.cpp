#include "models/kernels/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <vector>

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

std::size_t default_workers() {
  return static_cast<std::size_t>(std::max(1, omp_get_max_threads()));
}

void for_each_task(std::size_t tasks, std::size_t workers,
                   const std::function<void(std::size_t task, std::size_t worker)>& body) {
  if (tasks == 0) return;
  // An exception may not leave a parallel region: it would end the program.
  std::vector<std::exception_ptr> failures(tasks);
  const int team = static_cast<int>(std::clamp<std::size_t>(workers, 1, tasks));
  const auto count = static_cast<std::ptrdiff_t>(tasks);
#pragma omp parallel for schedule(dynamic, 1) num_threads(team) if (team > 1)
  for (std::ptrdiff_t task = 0; task < count; ++task) {
    const auto index = static_cast<std::size_t>(task);
    const FlushDenormals flush;
    try {
      body(index, static_cast<std::size_t>(omp_get_thread_num()));
    } catch (...) {
      failures[index] = std::current_exception();
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace orrery
