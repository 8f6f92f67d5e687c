// What the target accuracy took: the question that all ways answer alike.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

/// A line per way that learns: steps, seconds, bytes, joules, carbon and money until the target accuracy, or how far it
/// came. `reference`: the ratios are to it; may be null. Empty without a target, or when nothing was learned.
std::vector<std::string> target_table(const std::vector<ResultRow>& rows, const ResultRow* reference,
                                      std::size_t width);

}  // namespace orrery
