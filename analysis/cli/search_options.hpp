// The command line of `orrery search`.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <string>
#include <vector>

#include "analysis/cli/command.hpp"

namespace orrery {

CommandSpec search_spec();

/// --set, and --limit and --top as values of [search]; the latter are checked here, as the file's reader would name
/// keys that the user did not type. Throws UsageError.
std::vector<std::string> search_overrides(const boost::program_options::variables_map& values);

}  // namespace orrery
