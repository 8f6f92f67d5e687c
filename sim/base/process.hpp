// Child processes of this same binary. Spawned, never forked from a running program: a child forked after an OpenMP
// region can hang, and one process may hold only one SimGrid engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace orrery {

struct ChildResult {
  int exit_code = 0;   // valid when signal is 0
  int signal = 0;      // the signal that ended the child, or 0
  std::string output;  // its standard output, less the lines that on_line took
  std::string errors;  // its standard error
};

/// Runs `arguments` (arguments[0] = path) with posix_spawn, reads its standard output line by line and its standard
/// error, and waits. `on_line` sees every complete line of output and returns true to keep it out of `output` (progress
/// lines). Signals of the terminal reach the child with the process group. Throws std::runtime_error when the child
/// cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments,
                      const std::function<bool(const std::string&)>& on_line = {});

/// For children: from now on SIGTERM comes when the thread that started this process ends, as when its own is killed.
void end_with_parent();

}  // namespace orrery
