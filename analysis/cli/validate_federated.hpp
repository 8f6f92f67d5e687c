// The part of `orrery validate` that learns published rounds of federated averaging anew.
#pragma once

#include <boost/program_options/variables_map.hpp>

#include "analysis/cli/command.hpp"

namespace orrery {

/// Runs the rows asked for and prints what holds; assertion_failed when a row, a ratio or an ordering is outside its
/// band.
ExitCode validate_federated(const boost::program_options::variables_map& values);

}  // namespace orrery
