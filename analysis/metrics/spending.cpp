#include "analysis/metrics/spending.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "scenarios/plan.hpp"

namespace orrery {
namespace {

/// Steps that the ledger has, and those beyond, of which only the mean is known.
struct StepsDone {
  const FederatedTotals* totals = nullptr;
  double beyond = 0;
};

StepsDone steps_done(const Account& account, double steps) {
  if (account.ledger == nullptr) return {nullptr, steps};
  const auto whole = std::min(static_cast<std::size_t>(std::llround(steps)), account.ledger->steps());
  return {&account.ledger->after(whole), std::max(0.0, steps - static_cast<double>(account.ledger->steps()))};
}

std::optional<Used> used_after(const Account& account, const StepsDone& steps) {
  if (!account.step || !account.transfer) return std::nullopt;
  Used used = *account.transfer;
  if (steps.totals != nullptr) used += used_by(*steps.totals);
  used += *account.step * steps.beyond;
  return used;
}

std::optional<double> cost_of(const Prices& prices, const Spending& spending) {
  if (prices.device_hour <= 0 && prices.electricity <= 0) return std::nullopt;
  double cost = prices.device_hour * spending.device_time.value() / seconds_per_hour;
  if (prices.electricity > 0) {
    if (!spending.energy) return std::nullopt;
    cost += prices.electricity * spending.energy->total().value() / joules_per_kWh;
  }
  return cost;
}

/// Nothing when some of the energy came from a grid that nobody stated.
std::optional<double> emissions_of(const Used& used, double gCO2e_per_kWh) {
  const Joules all = used.energy.total(), rest = all - used.own_grid;
  if (gCO2e_per_kWh > 0) return used.own_grid_kg + kilograms(rest, gCO2e_per_kWh);
  const bool own_alone = used.own_grid > Joules{} && rest <= all * 1e-9;  // crumbs of rounding
  return own_alone ? std::optional(used.own_grid_kg) : std::nullopt;
}

/// Of an hour, of whole nodes; 0: one of the kinds in use has no price.
double mean_device_price(const ClusterSpec& cluster, const std::vector<double>& used) {
  double sum = 0, devices = 0;
  for (std::size_t group = 0; group < used.size(); ++group) {
    if (used[group] <= 0) continue;
    const double node = cluster.origin(group).price_per_hour;
    if (node <= 0) return 0;
    sum += node * whole_nodes(used[group], cluster.description.group(group));
    devices += used[group];
  }
  return devices > 0 ? sum / devices : 0.0;
}

}  // namespace

Used& Used::operator+=(const Used& other) {
  energy += other.energy;
  own_grid += other.own_grid;
  own_grid_kg += other.own_grid_kg;
  return *this;
}

Used operator*(Used used, double factor) {
  return {used.energy * factor, used.own_grid * factor, used.own_grid_kg * factor};
}

Used used_by(const FederatedTotals& totals) {
  return {energy_parts(totals.energy()), totals.own_grid, totals.own_grid_kg};
}

Prices prices_of(const Scenario& scenario, const StrategySpec& strategy, const std::vector<double>& used) {
  const CostSpec& cost = scenario.cost;
  const ClusterSpec& cluster = strategy.cluster;
  Prices prices{0, cost.electricity_per_kWh, cost.currency.empty() ? cluster.currency : cost.currency};
  if (strategy.kind == StrategyKind::federated) return prices;
  if (cost.price_per_device_hour > 0) {
    prices.device_hour = cost.price_per_device_hour;
  } else if (const double price = mean_device_price(cluster, used); price > 0) {
    prices.device_hour = price;
    prices.electricity = 0;
  }
  return prices;
}

Spending spending_after(const Account& account, double steps) {
  const StepsDone done = steps_done(account, steps);
  Spending spending;
  spending.device_time = account.device_time * done.beyond;
  if (done.totals != nullptr) spending.device_time += done.totals->client_time;
  if (const auto used = used_after(account, done)) {
    spending.energy = used->energy;
    spending.emissions_kg = emissions_of(*used, account.energy.gCO2e_per_kWh);
  }
  spending.cost = cost_of(account.prices, spending);
  return spending;
}

}  // namespace orrery
