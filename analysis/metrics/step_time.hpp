// Where the time of a step went, on the rank that ends last: parts that sum to the step time.
#pragma once

#include <array>
#include <span>

#include "sim/program/records.hpp"

namespace orrery {

struct StepTime {
  Seconds step, compute, recompute, optimizer, bubble, straggler, input;
  std::array<Seconds, 6> exposed;  // communication not hidden behind compute, by Dimension (none stays zero)
  Seconds communication;           // bytes moving for that rank, hidden behind compute or not (union of intervals)
  [[nodiscard]] Seconds exposed_total() const;
};

StepTime operator+(const StepTime& a, const StepTime& b);
StepTime operator*(const StepTime& time, double factor);

/// Every instant of [0, makespan] of the critical rank (the one whose last activity ends last; ties: the lowest) goes
/// to one part, in this order: a running compute operation (by phase); else data moving for it (by dimension); else
/// waiting at a collective for its last member (straggler); else waiting for another rank's work, or nothing to do
/// (bubble). When two dimensions move at once the inner one (tp, cp, ep, pp, dp) is charged: compute waits for it
/// first.
StepTime step_time(const Records& records);

/// The same rule for any activities within [from, to]; step = to - from.
/// Phases: input -> input; recompute -> recompute; optimizer and aggregate (the server's update of a federated round)
/// -> optimizer; any other compute -> compute. A transfer without a dimension counts as dp.
StepTime attribute_time(std::span<const Activity> activities, Seconds from, Seconds to);

/// Random stragglers that the simulation does not draw: `share` of the step is added to it, as straggler time.
StepTime with_stragglers(StepTime time, double share);

}  // namespace orrery
