#include "analysis/metrics/federated_time.hpp"

#include <algorithm>
#include <optional>

namespace orrery {
namespace {

/// The time of a step, given away piece by piece: never more than there is, and no crumbs of rounding.
class Remainder {
 public:
  /// `end`: on the clock, whose last digits are crumbs too.
  Remainder(Seconds all, Seconds end) : left_(all), crumb_(std::max(all * 1e-12, end * 1e-14)) {}
  Seconds take(Seconds wanted) {
    const Seconds taken = std::min(wanted, left_);
    if (taken <= crumb_) return {};
    left_ -= taken;
    return taken;
  }
  [[nodiscard]] Seconds rest() const { return left_ <= crumb_ ? Seconds{} : left_; }

 private:
  Seconds left_, crumb_;
};

/// The time of one step, told backwards.
class Tale {
 public:
  Tale(const FederatedRun& run, const ServerStep& step)
      : run_(run), step_(step), remainder_(step.end - step.begin, step.end) {
    time_.step = step.end - step.begin;
  }

  StepTime tell() {
    if (step_.critical_trip < 0) {
      time_.optimizer += remainder_.take(step_.aggregation);
      time_.straggler += remainder_.rest();
      return time_;
    }
    auto index = std::optional(static_cast<std::size_t>(step_.critical_trip));
    after(run_.trips[*index]);
    while (index) {
      charge(run_.trips[*index]);
      index = before(*index);
    }
    time_.bubble += remainder_.rest();
    return time_;
  }

 private:
  void move(Seconds wanted) {
    const Seconds taken = remainder_.take(wanted);
    time_.exposed[static_cast<std::size_t>(Dimension::dp)] += taken;
    time_.communication += taken;
  }

  /// From the end of the critical trip to that of the step.
  void after(const Trip& critical) {
    const Seconds gap = std::max(Seconds{}, step_.end - critical.end);
    const Seconds aggregation = std::min(step_.aggregation, gap);
    served_ = step_.aggregation - aggregation;
    time_.optimizer += remainder_.take(aggregation);
    move(step_.backhaul_time);
    time_.bubble += remainder_.take(gap - aggregation - step_.backhaul_time);
  }

  void charge(const Trip& trip) {
    move(trip.upload);
    const Seconds compute = remainder_.take(trip.compute);
    time_.recompute += compute * run_.recompute_share;
    time_.optimizer += compute * run_.optimizer_share;
    time_.compute += compute * (1 - run_.recompute_share - run_.optimizer_share);
    time_.straggler += remainder_.take(trip.offline);
    const Seconds served = std::min(served_, trip.waiting);
    served_ -= served;
    time_.compute += remainder_.take(served);
    time_.bubble += remainder_.take(trip.waiting - served);
    move(trip.download);
  }

  /// The trip of the same step to the same hub that ended last before this one began.
  [[nodiscard]] std::optional<std::size_t> before(std::size_t index) const {
    const Trip& later = run_.trips[index];
    for (std::size_t i = index; i-- > 0;) {
      const Trip& trip = run_.trips[i];
      if (trip.round != later.round) break;
      if (trip.hub == later.hub && trip.end <= later.begin) return i;
    }
    return std::nullopt;
  }

  const FederatedRun& run_;
  const ServerStep& step_;
  Remainder remainder_;
  StepTime time_;
  Seconds served_;  // the server's work while the clients of a split network wait for it
};

}  // namespace

StepTime server_step_time(const FederatedRun& run, std::size_t step) {
  return Tale(run, run.steps[step]).tell();
}

StepTime mean_server_step(const FederatedRun& run) {
  StepTime sum;
  for (std::size_t step = 0; step < run.steps.size(); ++step) sum = sum + server_step_time(run, step);
  return run.steps.empty() ? sum : sum * (1.0 / static_cast<double>(run.steps.size()));
}

}  // namespace orrery
