// What a co-simulated run has used up after each of its server steps: trips, bytes, joules, carbon. Each trip is looked
// at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/metrics/federated_energy.hpp"

namespace orrery {

struct TripCounts {
  std::int64_t selected = 0;  // all of them; the others sum to it
  std::int64_t reported = 0, late = 0, surplus = 0, dropped = 0, unused = 0;
  void add(TripEnd how);
  TripCounts& operator+=(const TripCounts& other);
};

/// Sums over trips and server steps. A trip counts to the step in which it ended (the last one if it was under way at
/// the end of the run).
struct FederatedTotals {
  TripCounts trips;
  Bytes down, up;                         // as the clients saw it
  Bytes backhaul;                         // between edges and server
  Bytes wasted;                           // down and up of trips that did not report; of the others what was sent again
  Bytes sent;                             // every message once: down + up + backhaul; gossip: up
  Seconds client_time;                    // clients online on a trip
  std::int64_t staleness = 0;             // sum over the reports
  FederatedEnergy useful, wasted_energy;  // wasted: what `wasted` and all else of trips that did not report cost
  /// Of it, what clients used whose group has a grid of its own, their network included; and its carbon.
  Joules own_grid;
  double own_grid_kg = 0;

  [[nodiscard]] FederatedEnergy energy() const { return useful + wasted_energy; }
  FederatedTotals& operator+=(const FederatedTotals& other);
};

class Ledger {
 public:
  /// `power`: nothing when it is unknown; joules are zero then.
  Ledger(const FederatedRun& run, const FederationSite& site, const std::optional<FederationPower>& power);

  [[nodiscard]] std::size_t steps() const { return after_.size() - 1; }
  /// After the first `steps` steps; after all of them when there are fewer.
  [[nodiscard]] const FederatedTotals& after(std::size_t steps) const;
  /// Of all steps those into which a report went.
  [[nodiscard]] std::size_t steps_with_reports() const;
  /// The most stale report of steps [from, to).
  [[nodiscard]] std::int64_t worst_staleness(std::size_t from, std::size_t to) const;

 private:
  std::vector<FederatedTotals> after_;  // [steps done]
  std::vector<std::int64_t> worst_;     // [step]
};

}  // namespace orrery
