#include "analysis/metrics/intervals.hpp"

#include <algorithm>

namespace orrery {

Seconds covered(std::vector<Interval> intervals, Seconds from, Seconds to) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  Seconds sum;
  Seconds reached = from;  // everything before it has been counted
  for (const Interval& interval : intervals) {
    const Seconds begin = std::max(interval.begin, reached);
    const Seconds end = std::min(interval.end, to);
    if (end <= begin) continue;
    sum += end - begin;
    reached = end;
  }
  return sum;
}

}  // namespace orrery
