// The commands of `orrery`: one file each, one line in the table of main.cpp.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/reports/reports.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// Documented, stable, tested.
enum class ExitCode : int { ok = 0, bug = 1, usage = 2, invalid_input = 3, infeasible = 4, assertion_failed = 5 };

using Arguments = std::vector<std::string>;  // without the program's and the command's name

/// What a command accepts, for parsing and for --help.
struct CommandSpec {
  std::string name, summary;
  std::vector<std::string> examples;    // whole command lines, shown first
  std::vector<std::string> positional;  // names, all required unless in brackets: "[NAME]"
  std::string notes;                    // shown last; may be empty
  boost::program_options::options_description options{"Options"};
};

/// Parses strictly: no abbreviated options; unknown ones get a did-you-mean. Throws UsageError. Nothing when --help was
/// asked for and printed on stdout. Positional arguments are found under their names without brackets.
std::optional<boost::program_options::variables_map> parse(const CommandSpec& spec, const Arguments& arguments);

/// The text of an option or argument; empty when it was not given.
std::string text_of(const boost::program_options::variables_map& values, const std::string& name);

/// The catalogue that ships with Orrery; throws InvalidInput when a row is defective.
Catalogue load_catalogue();

/// Names of the scenarios that ship with Orrery, sorted, and the file of one.
std::vector<std::string> shipped_scenarios();
std::string shipped_scenario_file(const std::string& name);

/// The file that the argument SCENARIO means: there may be one of that name, or it is the name of a shipped one. Throws
/// InvalidInput when a name is neither.
std::string scenario_file(const boost::program_options::variables_map& values);

/// `--set key=value` and `--engine`, shared by the commands that read scenarios.
void add_scenario_options(boost::program_options::options_description& options);
std::vector<std::string> overrides_of(const boost::program_options::variables_map& values);

/// Whether standard output may be coloured: a terminal, and NO_COLOR is not set.
Colour colour_of_terminal();

/// Characters of the longest line that lists should print: as wide as the tables on a terminal; elsewhere any, so that
/// an entry is one line for other programs.
std::size_t list_width();

// One file each.
ExitCode run_command(const Arguments& arguments);
ExitCode profile_command(const Arguments& arguments);
ExitCode list_command(const Arguments& arguments);
ExitCode show_command(const Arguments& arguments);
ExitCode explain_command(const Arguments& arguments);
ExitCode trace_command(const Arguments& arguments);
ExitCode measure_command(const Arguments& arguments);
ExitCode compare_command(const Arguments& arguments);
ExitCode search_command(const Arguments& arguments);
ExitCode validate_command(const Arguments& arguments);
ExitCode fit_command(const Arguments& arguments);
ExitCode simulate_way_command(const Arguments& arguments);  // internal: one strategy in a process of its own

}  // namespace orrery
