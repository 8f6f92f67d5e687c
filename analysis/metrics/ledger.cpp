#include "analysis/metrics/ledger.hpp"

#include <algorithm>

namespace orrery {
namespace {

void add_energy(FederatedTotals& totals, const Trip& trip, const ServerStep& step, const FederationPower& power) {
  const FederationPower::Spent joules = power.spent(trip, step.aggregation);
  totals.useful += joules.useful;
  totals.wasted_energy += joules.wasted;
  const double grid = power.grid_intensity(static_cast<std::size_t>(trip.client));
  if (grid < 0) return;
  totals.own_grid += joules.total();
  totals.own_grid_kg += kilograms(joules.total(), grid);
}

FederatedTotals totals_of(const Trip& trip, const FederationSite& site) {
  FederatedTotals totals;
  totals.trips.add(trip.how);
  totals.down = trip.down;
  totals.up = trip.up;
  totals.sent = sent_bytes(trip, site);
  totals.client_time = online_time(trip);
  if (trip.how == TripEnd::reported) {
    totals.staleness = trip.staleness;
    totals.wasted = trip.discarded_down + trip.discarded_up;
  } else {
    totals.wasted = trip.down + trip.up;
  }
  return totals;
}

/// What crosses the server's own line: with edges between, the backhaul alone.
Bytes through_server(const FederatedTotals& totals, const FederationSite& site) {
  return site.edges > 0 ? totals.backhaul : totals.sent;
}

}  // namespace

void TripCounts::add(TripEnd how) {
  ++selected;
  switch (how) {
    case TripEnd::reported:
      ++reported;
      break;
    case TripEnd::late:
      ++late;
      break;
    case TripEnd::surplus:
      ++surplus;
      break;
    case TripEnd::dropped:
      ++dropped;
      break;
    case TripEnd::unused:
      ++unused;
      break;
  }
}

TripCounts& TripCounts::operator+=(const TripCounts& other) {
  for (const auto count : {&TripCounts::selected, &TripCounts::reported, &TripCounts::late, &TripCounts::surplus,
                           &TripCounts::dropped, &TripCounts::unused}) {
    this->*count += other.*count;
  }
  return *this;
}

FederatedTotals& FederatedTotals::operator+=(const FederatedTotals& other) {
  trips += other.trips;
  for (const auto bytes : {&FederatedTotals::down, &FederatedTotals::up, &FederatedTotals::backhaul,
                           &FederatedTotals::wasted, &FederatedTotals::sent}) {
    this->*bytes += other.*bytes;
  }
  client_time += other.client_time;
  staleness += other.staleness;
  useful += other.useful;
  wasted_energy += other.wasted_energy;
  own_grid += other.own_grid;
  own_grid_kg += other.own_grid_kg;
  return *this;
}

Ledger::Ledger(const FederatedRun& run, const FederationSite& site, const std::optional<FederationPower>& power)
    : after_(run.steps.size() + 1), worst_(run.steps.size()) {
  if (run.steps.empty()) return;
  for (const Trip& trip : run.trips) {
    const std::size_t step = std::min(static_cast<std::size_t>(trip.round), run.steps.size() - 1);
    FederatedTotals& own = after_[step + 1];
    own += totals_of(trip, site);
    if (power) add_energy(own, trip, run.steps[step], *power);
    if (trip.how == TripEnd::reported) worst_[step] = std::max<std::int64_t>(worst_[step], trip.staleness);
  }
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    FederatedTotals& own = after_[step + 1];
    own.backhaul = run.steps[step].backhaul;
    own.sent += own.backhaul;
    if (power) own.useful += power->step(run.steps[step], through_server(own, site));
    own += after_[step];
  }
}

const FederatedTotals& Ledger::after(std::size_t steps) const {
  return after_[std::min(steps, after_.size() - 1)];
}

std::size_t Ledger::steps_with_reports() const {
  std::size_t count = 0;
  for (std::size_t step = 1; step < after_.size(); ++step) {
    if (after_[step].trips.reported > after_[step - 1].trips.reported) ++count;
  }
  return count;
}

std::int64_t Ledger::worst_staleness(std::size_t from, std::size_t to) const {
  std::int64_t worst = 0;
  for (std::size_t step = from; step < std::min(to, worst_.size()); ++step) worst = std::max(worst, worst_[step]);
  return worst;
}

}  // namespace orrery
