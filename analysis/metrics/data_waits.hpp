// When the step waited for training data.
#pragma once

#include <vector>

#include "analysis/metrics/intervals.hpp"
#include "sim/program/records.hpp"

namespace orrery {

/// Of a rank that takes training data: from the end of what it did or exchanged last to the end of the load that its
/// next pass, or the end of the step, waits for. Messages of a pipeline that pass by meanwhile do not count. In a
/// pipeline a load delays the step by no more than it takes longer than the slowest stage works on a micro-batch
/// (GPipe, interleaved: on a forward pass); the rest of such a wait would be one for another stage: a bubble. A later
/// stage waits as long before it begins with that micro-batch, if it has nothing to do.
std::vector<Interval> data_waits(const Records& records, RankId rank);

/// By rank, of those that take training data themselves: of the others nothing.
std::vector<std::vector<Interval>> waits_of_loading_ranks(const Records& records);

}  // namespace orrery
