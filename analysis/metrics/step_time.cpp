#include "analysis/metrics/step_time.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <vector>

#include "analysis/metrics/activity_role.hpp"
#include "analysis/metrics/data_waits.hpp"

namespace orrery {
namespace {

/// What may claim an instant, in order of precedence.
enum class Claim : std::uint8_t {
  input,
  compute,
  recompute,
  optimizer,
  moving_tp,
  moving_cp,
  moving_ep,
  // What goes on beside a device that waits for its host or its data is not what it waits for.
  waiting_host,
  waiting_input,
  moving_pp,
  moving_dp,
  waiting_collective,
  count
};
constexpr auto claims = static_cast<std::size_t>(Claim::count);

Claim compute_claim(Phase phase) {
  switch (phase) {
    case Phase::input:
      return Claim::input;
    case Phase::recompute:
      return Claim::recompute;
    case Phase::optimizer:
    case Phase::aggregate:
      return Claim::optimizer;
    default:
      return Claim::compute;
  }
}

Claim moving_claim(const Activity& activity) {
  switch (activity.dimension) {
    case Dimension::tp:
      return Claim::moving_tp;
    case Dimension::cp:
      return Claim::moving_cp;
    case Dimension::ep:
      return Claim::moving_ep;
    case Dimension::pp:
      return Claim::moving_pp;
    case Dimension::dp:
    case Dimension::none:
      return Claim::moving_dp;
  }
  return Claim::moving_dp;
}

/// From start to end; a loader at work claims nothing, who waits for it does.
std::optional<Claim> claim_of(const Activity& activity) {
  switch (role_of(activity)) {
    case ActivityRole::kernel:
      return compute_claim(activity.phase);
    case ActivityRole::host:
      return Claim::waiting_host;
    case ActivityRole::loader:
      return std::nullopt;
    case ActivityRole::within:
    case ActivityRole::beside:
      break;
  }
  return moving_claim(activity);
}

bool moves_data(Claim claim) {
  return claim >= Claim::moving_tp && claim <= Claim::moving_dp && claim != Claim::waiting_host &&
         claim != Claim::waiting_input;
}

/// A claim begins (change = 1) or ends (change = -1).
struct Edge {
  double at;
  Claim claim;
  int change;
};

class Sweep {
 public:
  Sweep(Seconds from, Seconds to) : from_(from.value()), to_(to.value()) {}

  void add(Seconds begin, Seconds end, Claim claim) {
    const double first = std::clamp(begin.value(), from_, to_);
    const double last = std::clamp(end.value(), from_, to_);
    if (first >= last) return;
    edges_.push_back({first, claim, 1});
    edges_.push_back({last, claim, -1});
  }

  StepTime run() {
    // Claims are counted, so the order of edges at one instant does not matter.
    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
    const double rounding = (to_ - from_) * 1e-12;  // shorter than that nothing happens: it goes with what follows
    double at = from_;
    const auto charge_until = [&](double end) {
      if (end - at <= rounding) return;
      charge(Seconds(end - at));
      at = end;
    };
    for (const Edge& edge : edges_) {
      charge_until(edge.at);
      active_[static_cast<std::size_t>(edge.claim)] += edge.change;
    }
    charge_until(to_);
    time_.step = Seconds(to_ - from_);
    return time_;
  }

 private:
  void charge(Seconds amount) {
    std::optional<Claim> winner;
    bool moving = false;
    for (std::size_t i = 0; i < claims; ++i) {
      if (active_[i] == 0) continue;
      const auto claim = static_cast<Claim>(i);
      if (!winner) winner = claim;
      moving = moving || moves_data(claim);
    }
    if (moving) time_.communication += amount;
    (winner ? part(*winner) : time_.bubble) += amount;
  }

  Seconds& part(Claim claim) {
    const auto exposed = [this](Dimension dimension) -> Seconds& {
      return time_.exposed[static_cast<std::size_t>(dimension)];
    };
    switch (claim) {
      case Claim::input:
      case Claim::waiting_input:
        return time_.input;
      case Claim::compute:
      case Claim::waiting_host:
        return time_.compute;
      case Claim::recompute:
        return time_.recompute;
      case Claim::optimizer:
        return time_.optimizer;
      case Claim::moving_tp:
        return exposed(Dimension::tp);
      case Claim::moving_cp:
        return exposed(Dimension::cp);
      case Claim::moving_ep:
        return exposed(Dimension::ep);
      case Claim::moving_pp:
        return exposed(Dimension::pp);
      case Claim::moving_dp:
        return exposed(Dimension::dp);
      case Claim::waiting_collective:
        return time_.straggler;
      case Claim::count:
        break;
    }
    return time_.bubble;
  }

  double from_, to_;
  std::vector<Edge> edges_;
  std::array<int, claims> active_{};
  StepTime time_;
};

RankId critical_rank(const Records& records) {
  RankId critical;
  Seconds last(-1.0);
  for (const Activity& activity : records.activities) {
    if (activity.end > last || (activity.end == last && activity.rank < critical)) {
      last = activity.end;
      critical = activity.rank;
    }
  }
  return critical;
}

/// All but the exposed communication.
constexpr std::array all_parts = {&StepTime::step,      &StepTime::compute,      &StepTime::recompute,
                                  &StepTime::optimizer, &StepTime::bubble,       &StepTime::straggler,
                                  &StepTime::input,     &StepTime::communication};

}  // namespace

Seconds StepTime::exposed_total() const {
  return std::accumulate(exposed.begin(), exposed.end(), Seconds{});
}

StepTime operator+(const StepTime& a, const StepTime& b) {
  StepTime sum = a;
  for (const auto part : all_parts) {
    sum.*part += b.*part;
  }
  for (std::size_t i = 0; i < sum.exposed.size(); ++i) sum.exposed[i] += b.exposed[i];
  return sum;
}

StepTime operator*(const StepTime& time, double factor) {
  StepTime scaled = time;
  for (const auto part : all_parts) {
    scaled.*part *= factor;
  }
  for (Seconds& exposed : scaled.exposed) exposed *= factor;
  return scaled;
}

StepTime attribute_time(std::span<const Activity> activities, std::span<const Interval> data_waits, Seconds from,
                        Seconds to) {
  Sweep sweep(from, to);
  for (const Interval& wait : data_waits) sweep.add(wait.begin, wait.end, Claim::waiting_input);
  for (const Activity& activity : activities) {
    // Waiting for a message needs no claim: what nothing claims is bubble.
    if (activity.stream == Stream::collective) sweep.add(activity.ready, activity.start, Claim::waiting_collective);
    if (const auto claim = claim_of(activity)) sweep.add(activity.start, activity.end, *claim);
  }
  return sweep.run();
}

StepTime step_time(const Records& records) {
  const RankId critical = critical_rank(records);
  std::vector<Activity> own;
  std::copy_if(records.activities.begin(), records.activities.end(), std::back_inserter(own),
               [critical](const Activity& activity) { return activity.rank == critical; });
  return attribute_time(own, data_waits(records, critical), Seconds{}, records.makespan);
}

StepTime with_stragglers(StepTime time, double share) {
  const Seconds added = time.step * share;
  time.straggler += added;
  time.step += added;
  return time;
}

}  // namespace orrery
