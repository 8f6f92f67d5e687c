#include "analysis/cli/signals.hpp"

#include <csignal>

#include "analysis/cli/output_folder.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

extern "C" void on_signal(int signal) {
  remove_temporary_files();
  remove_empty_folders();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void clean_up_on_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

}  // namespace orrery
