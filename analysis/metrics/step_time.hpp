// Where the time of a step went, on the rank that ends last: parts that sum to the step time.
#pragma once

#include <array>
#include <span>

#include "analysis/metrics/intervals.hpp"
#include "sim/program/records.hpp"

namespace orrery {

struct StepTime {
  Seconds step, compute, recompute, optimizer, bubble, straggler, input;
  std::array<Seconds, dimension_count>
      exposed;            // communication not hidden behind compute, by Dimension (none stays zero)
  Seconds communication;  // bytes moving for that rank, hidden behind compute or not (union of intervals)
  [[nodiscard]] Seconds exposed_total() const;
};

StepTime operator+(const StepTime& a, const StepTime& b);
StepTime operator*(const StepTime& time, double factor);

/// Every instant of [0, makespan] of the critical rank (the one whose last activity ends last; ties: the lowest) goes
/// to one part, in this order: a running compute operation (by phase); else an exchange within its pass (tp, cp, ep);
/// else its host at work (compute) or a wait for training data (input, see data_waits), as what moves beside those does
/// not hold it up; else a message or an exchange of replicas (pp, dp); else waiting at a collective for its last member
/// (straggler); else waiting for another rank's work, or nothing to do (bubble). When two dimensions move at once the
/// inner one (in the order given) is charged: compute waits for it first.
StepTime step_time(const Records& records);

/// The same rule for any activities within [from, to]; step = to - from.
/// Phases: input -> input; recompute -> recompute; optimizer and aggregate (the server's update of a federated round)
/// -> optimizer; any other compute -> compute. A transfer without a dimension counts as dp.
StepTime attribute_time(std::span<const Activity> activities, std::span<const Interval> data_waits, Seconds from,
                        Seconds to);

/// Random stragglers that the simulation does not draw: `share` of the step is added to it, as straggler time.
StepTime with_stragglers(StepTime time, double share);

}  // namespace orrery
