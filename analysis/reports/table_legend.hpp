// What stands below the comparison: the meaning of its columns, and what no figure of it says.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

/// Model FLOPs utilisation as the table shows it: where the scenario has layouts (kind = "hybrid"), of every way that
/// has a step of its own.
std::optional<double> shown_mfu(const ResultRow& row);

/// Of the columns that are there; nothing when no way was simulated. `reference`: may be null.
std::vector<std::string> table_legend(const std::vector<ResultRow>& rows, const ResultRow* reference,
                                      std::size_t width);

/// Ways whose computing was priced differently, and rounds that were lost.
std::vector<std::string> table_notes(const std::vector<ResultRow>& rows, std::size_t width);

}  // namespace orrery
