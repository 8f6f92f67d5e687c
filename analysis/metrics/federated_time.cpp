#include "analysis/metrics/federated_time.hpp"

#include <algorithm>
#include <optional>

namespace orrery {
namespace {

Seconds& exposed(StepTime& time) {
  return time.exposed[static_cast<std::size_t>(Dimension::dp)];
}

/// The time of a step, given away piece by piece: never more than there is.
class Remainder {
 public:
  explicit Remainder(Seconds all) : left_(all) {}
  Seconds take(Seconds wanted) {
    const Seconds taken = std::clamp(wanted, Seconds{}, left_);
    left_ -= taken;
    return taken;
  }
  [[nodiscard]] Seconds rest() const { return left_; }

 private:
  Seconds left_;
};

void charge_trip(const FederatedRun& run, const Trip& trip, Remainder& remainder, StepTime& time) {
  const Seconds upload = remainder.take(trip.upload);
  const Seconds compute = remainder.take(trip.compute);
  time.straggler += remainder.take(trip.offline);
  time.bubble += remainder.take(trip.waiting);
  const Seconds download = remainder.take(trip.download);
  exposed(time) += upload + download;
  time.communication += upload + download;
  time.recompute += compute * run.recompute_share;
  time.optimizer += compute * run.optimizer_share;
  time.compute += compute * (1 - run.recompute_share - run.optimizer_share);
}

/// The trip to the same edge that had to end before this one could begin.
std::optional<std::size_t> trip_before(const FederatedRun& run, std::size_t index) {
  const Trip& later = run.trips[index];
  if (later.hub < 0) return std::nullopt;
  for (std::size_t i = index; i-- > 0;) {
    const Trip& trip = run.trips[i];
    if (trip.round != later.round) break;
    if (trip.hub == later.hub && trip.end <= later.begin) return i;
  }
  return std::nullopt;
}

}  // namespace

StepTime server_step_time(const FederatedRun& run, std::size_t step) {
  const ServerStep& own = run.steps[step];
  StepTime time;
  time.step = own.end - own.begin;
  Remainder remainder(time.step);
  time.optimizer += remainder.take(own.aggregation);
  const Seconds backhaul = remainder.take(own.backhaul_time);
  exposed(time) += backhaul;
  time.communication += backhaul;
  if (own.critical_trip < 0) {
    time.straggler += remainder.take(remainder.rest());
    return time;
  }
  auto index = std::optional(static_cast<std::size_t>(own.critical_trip));
  // Its report may have had to wait for a server that was busy.
  time.bubble += remainder.take(own.end - own.aggregation - backhaul - run.trips[*index].end);
  while (index) {
    charge_trip(run, run.trips[*index], remainder, time);
    index = trip_before(run, *index);
  }
  time.bubble += remainder.rest();
  return time;
}

StepTime mean_server_step(const FederatedRun& run) {
  StepTime sum;
  for (std::size_t step = 0; step < run.steps.size(); ++step) sum = sum + server_step_time(run, step);
  return run.steps.empty() ? sum : sum * (1.0 / static_cast<double>(run.steps.size()));
}

}  // namespace orrery
