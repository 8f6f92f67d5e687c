// What a training has used up after so many steps: joules, carbon, money, device-time. One rule for its end, for every
// point of its learning curve and for the target.
//
//   energy        data transfer + the steps so far
//   device time   devices x steps x step time; co-simulated: the time that clients were online on a trip, summed
//   cost          device-hours x price + electricity x energy; the price of a device-hour is [cost]'s, or that of a
//                 node over its devices, on a mixed cluster the mean over the devices in use. The price of a rented
//                 system contains its electricity; a price of one's own does not. Clients of a federation are not
//                 hired: only electricity is charged.
//   emissions     energy x grid intensity; what clients used whose group has a grid of its own, by that. Where [energy]
//                 has no grid: known only when every joule was drawn from a group's own
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/ledger.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// Joules, and where they were drawn.
struct Used {
  EnergyParts energy;
  Joules own_grid;         // of them, by clients whose group has a grid of its own
  double own_grid_kg = 0;  // carbon of these
  Used& operator+=(const Used& other);
  friend Used operator*(Used used, double factor);
};
Used used_by(const FederatedTotals& totals);

/// What is charged; zero: not charged.
struct Prices {
  double device_hour = 0, electricity = 0;  // of an hour, of a kWh
  std::string currency;
};
/// Of a device of every kind that the way has, on the mean: `used` has how many it uses of each group of nodes of its
/// cluster. A system's price is that of whole nodes; of none in use nothing. A price that one of these kinds has not is
/// nobody's.
Prices prices_of(const Scenario& scenario, const StrategySpec& strategy, const std::vector<double>& used = {});

struct Spending {
  std::optional<EnergyParts> energy;         // nothing: the power of a device is unknown
  std::optional<double> emissions_kg, cost;  // nothing: unknown, or not asked for
  Seconds device_time;
};

/// What one way's training uses.
struct Account {
  EnergySpec energy;
  Prices prices;
  std::optional<Used> transfer = Used{};  // moving the training data; nothing: unknown
  std::optional<Used> step;               // of one step, mean; nothing: unknown
  Seconds device_time;                    // of one step, mean
  const Ledger* ledger = nullptr;         // of a co-simulated way: what its steps really used; null: every step alike
};
Spending spending_after(const Account& account, double steps);

}  // namespace orrery
