// The program `orrery`: chooses the command, turns exceptions into exit codes, and leaves no half-written file on a
// signal.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_folder.hpp"
#include "analysis/cli/signals.hpp"
#include "analysis/cli/version.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

struct CommandEntry {
  std::string name, summary;
  ExitCode (*run)(const Arguments&);
  enum class Shown { yes, no } shown = Shown::yes;
};

const std::vector<CommandEntry>& commands() {
  static const std::vector<CommandEntry> table = {
      {"run", "simulate every strategy of a scenario; print and write the comparison", run_command},
      {"search", "judge every layout of a hybrid strategy, simulate the best", search_command},
      {"profile", "execute real training steps (or measure this machine) and record them", profile_command},
      {"list", "what the catalogue and the tables hold", list_command},
      {"show", "one entry with all its figures and their sources", show_command},
      {"explain", "every value of a scenario, where it came from, every formula used", explain_command},
      {"trace", "a run's timeline as Chrome Trace Event JSON for Perfetto", trace_command},
      {"measure", "execute the strategies of a scenario for real, in the processes of an MPI run", measure_command},
      {"compare", "two folders of results side by side: what was measured against what was simulated", compare_command},
      {"validate", "published measurements, rerun and set beside ours", validate_command},
      {"fit", "constants of a device, a link or a framework from measurements, tried on rows left out", fit_command},
      {"simulate-way", "one strategy in a process of its own", simulate_way_command, CommandEntry::Shown::no},
  };
  return table;
}

std::string general_help() {
  std::string text =
      "orrery: how training a neural network behaves when it is split over many machines\n\nExamples:\n"
      "  orrery run scenarios/quickstart.toml -o out/quickstart\n  orrery list devices\n  orrery explain "
      "scenarios/quickstart.toml\n\n"
      "Usage: orrery COMMAND [arguments]; `orrery COMMAND --help` tells more\n\nCommands:\n";
  for (const CommandEntry& command : commands()) {
    if (command.shown == CommandEntry::Shown::yes) text += fmt::format("  {:<9} {}\n", command.name, command.summary);
  }
  return text + "\n  --version  version and the libraries it was built with\n";
}

std::vector<std::string> shown_names() {
  std::vector<std::string> names;
  for (const CommandEntry& command : commands()) {
    if (command.shown == CommandEntry::Shown::yes) names.push_back(command.name);
  }
  return names;
}

ExitCode dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::cerr << general_help();
    return ExitCode::usage;
  }
  if (words[0] == "help" && words.size() == 2) return dispatch({words[1], "--help"});
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::cout << general_help();
    return ExitCode::ok;
  }
  if (words[0] == "--version") {
    std::cout << version_text() << '\n';
    return ExitCode::ok;
  }
  const auto found =
      std::find_if(commands().begin(), commands().end(), [&](const CommandEntry& c) { return c.name == words[0]; });
  if (found == commands().end()) {
    throw UsageError(fmt::format("orrery: unknown command \"{}\" ({}) - see `orrery --help`", words[0],
                                 did_you_mean(words[0], shown_names())));
  }
  return found->run({words.begin() + 1, words.end()});
}

/// Streams keep silent about a full disk.
void finish_output() {
  std::cout.flush();
  if (!std::cout || std::ferror(stdout) != 0) throw std::runtime_error("cannot write all of the standard output");
}

int guarded(const std::vector<std::string>& words) {
  const auto report = [](const std::string& text, ExitCode code) {
    std::cerr << text << '\n';
    return static_cast<int>(code);
  };
  try {
    const ExitCode code = dispatch(words);
    finish_output();
    return static_cast<int>(code);
  } catch (const UsageError& error) {
    return report(error.what(), ExitCode::usage);
  } catch (const InvalidInput& error) {
    return report(error.what(), ExitCode::invalid_input);
  } catch (const Infeasible& error) {
    return report(fmt::format("orrery: {}", error.what()), ExitCode::infeasible);
  } catch (const std::bad_alloc&) {
    return report("orrery: out of memory", ExitCode::bug);
  } catch (const std::exception& error) {
    return report(fmt::format("orrery: {}", error.what()), ExitCode::bug);
  }
}

/// OpenMP's threads spin while they wait, which on a machine with other work makes a small training step ten times
/// slower. The library reads its setting when it is loaded, so it must stand in the environment before: start anew,
/// once, unless the user has decided.
void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv(executable_path().c_str(), argv);  // goes on below when it fails
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  orrery::wait_passively(argv);
  orrery::clean_up_on_signals();
  const int code = orrery::guarded({argv + 1, argv + argc});
  orrery::remove_empty_folders();  // after an error
  return code;
}
