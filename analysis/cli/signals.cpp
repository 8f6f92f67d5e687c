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
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (std::signal(signal, on_signal) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup wants it
  }
}

}  // namespace orrery
