// Who is best at what.
#pragma once

#include <string>
#include <vector>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

struct Winner {
  std::string criterion;                // "fastest step"
  std::vector<std::string> strategies;  // more than one: a tie
  std::string value;                    // for reading
};

/// One entry per criterion that at least two ways can be compared by: fastest step (a server step of a co-simulated way
/// is no such step and does not take part), fastest to train, fewest bytes, least energy (of a step where the number of
/// steps is unknown), each of these three to the target too, least CO2e, least memory per device, cheapest, best
/// accuracy (mean over the seeds). Figures that differ by less than one part in a million tie.
///
/// What a training takes is left out where what the target takes names the same ways and figure; the best accuracy
/// where every way that learns stopped at the target.
///
/// A way to which no client ever reported, of whose rounds more than half had too few reports, or that missed the
/// target, has not trained: it does not compete for what a training takes (time, bytes, energy, CO2e, money). A winner
/// of these to which fewer clients reported than it asks for says how many counted: who trains less takes less.
std::vector<Winner> winners(const std::vector<ResultRow>& rows);

}  // namespace orrery
