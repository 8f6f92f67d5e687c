// Activities sorted out by the rank they ran on.
#pragma once

#include <vector>

#include "sim/program/records.hpp"

namespace orrery {

/// One list per rank, each in the order of the records.
inline std::vector<std::vector<Activity>> activities_by_rank(const Records& records) {
  std::vector<std::vector<Activity>> lists(records.ranks);
  for (const Activity& activity : records.activities) lists[activity.rank.index()].push_back(activity);
  return lists;
}

}  // namespace orrery
