// SimGrid's clock goes on from one kernel to the next in a process, and microseconds drown in the last digits of hours:
// what is compared to 1e-9 is timed in a child of its own, as every simulation is in production.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace orrery::test {

/// The number that `work` returns, worked out in a forked child (tests start no threads before).
template <class Work>
double in_fresh_process(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  std::cout.flush();  // what waits to be written must not be written twice
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    double result = 0.0;
    try {
      result = work();
    } catch (...) {
      std::_Exit(1);
    }
    std::_Exit(write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  double result = 0.0;
  const bool complete = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!complete || status != 0) throw std::runtime_error("the child process failed");
  return result;
}

}  // namespace orrery::test
