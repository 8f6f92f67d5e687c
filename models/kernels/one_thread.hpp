// For files that call a library with threads of its own.
#pragma once

#include <omp.h>

namespace orrery {

/// oneDNN takes as many threads as OpenMP would give it, and cuts sums by them: here one. Tasks of for_each_task() are
/// set to one already, and then this is a look at a number.
class OneThread {
 public:
  OneThread() : threads_(omp_get_max_threads()) {
    if (threads_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (threads_ != 1) omp_set_num_threads(threads_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_;
};

}  // namespace orrery
