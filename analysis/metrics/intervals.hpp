// Unions of time intervals.
#pragma once

#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

struct Interval {
  Seconds begin, end;
};

/// Length of the union of the intervals, cut to [from, to]. Empty or reversed intervals count nothing.
Seconds covered(std::vector<Interval> intervals, Seconds from, Seconds to);

}  // namespace orrery
