// Where the time of a step went, on the rank that ends last: parts that sum to the step time.
#pragma once

#include <array>

#include "sim/program/records.hpp"

namespace orrery {

struct StepTime {
  Seconds step, compute, recompute, optimizer, bubble, straggler, input;
  std::array<Seconds, 6>
      exposed;            // communication not hidden behind compute, by Dimension (none = federated and data transfers)
  Seconds communication;  // all communication of that rank, hidden or not (union of intervals)
};

/// Every instant of [0, makespan] of the critical rank goes to one part, in this order: a running compute operation (by
/// phase); else data moving for it (by dimension); else waiting at a collective for its last member (straggler); else
/// waiting for another rank's work (bubble).
StepTime step_time(const Records& records);

}  // namespace orrery
