// [[assert]] tables: a scenario's own expectations about its results.
#pragma once

#include <string>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

/// One line per assertion that does not hold: `file:line:column: assert: step_time_s of ring is 0.2, above max 0.1`. A
/// missing value breaks an assertion.
std::vector<std::string> broken_assertions(const Scenario& scenario, const std::vector<ResultRow>& rows);

/// One line per assertion about another strategy than `only`, the one that ran: `file:line:column: assert: step_time_s
/// of ring is not judged: only tree ran`.
std::vector<std::string> unjudged_assertions(const Scenario& scenario, const std::string& only);

}  // namespace orrery
