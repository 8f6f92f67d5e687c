#include "analysis/metrics/budget.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "analysis/metrics/rounds.hpp"

namespace orrery {
namespace {

constexpr double seconds_per_hour = 3600;
constexpr double joules_per_kWh = 3.6e6;

/// Energy after `steps` steps or rounds, data transfer included: entry i of a federated way after i rounds.
class EnergyClock {
 public:
  explicit EnergyClock(const ResultRow& row) : step_(row.step_energy) {
    const EnergySpec& energy = row.scenario->energy;
    start_ = transfer_energy(row.way->data_transfer, energy);
    if (!row.federated()) return;
    const auto rounds = round_energies(*row.way, energy);
    if (!rounds) return;
    EnergyParts sum;
    for (const EnergyParts& round : *rounds) {
      sum += round;
      after_.push_back(sum);
    }
  }

  [[nodiscard]] std::optional<EnergyParts> after(double steps) const {
    if (!step_ || !start_) return std::nullopt;
    EnergyParts energy = *start_;
    if (after_.empty() || steps < 1) {
      energy += *step_ * steps;
    } else {
      const auto done = std::min(static_cast<std::size_t>(std::llround(steps)), after_.size());
      energy += after_[done - 1];
    }
    return energy;
  }

 private:
  std::optional<EnergyParts> start_, step_;
  std::vector<EnergyParts> after_;
};

double device_seconds(const ResultRow& row) {
  if (!row.federated()) return row.devices * row.way->steps * row.time.step.value();
  double sum = 0;
  const RankId server(row.way->records.ranks - 1);
  for (const FederatedRound& round : rounds_of(*row.way)) {
    for (const Participation& client : participations(round, server)) sum += (client.end - client.begin).value();
  }
  return sum;
}

/// Of one device-hour; nothing when unknown.
std::optional<double> device_price(const ResultRow& row) {
  if (row.federated()) return 0.0;
  if (row.scenario->cost.price_per_device_hour > 0) return row.scenario->cost.price_per_device_hour;
  const ClusterSpec& cluster = row.strategy->cluster;
  if (cluster.price_per_hour <= 0) return std::nullopt;
  return cluster.price_per_hour / cluster.description.devices_per_node;
}

void fill_cost(ResultRow& row) {
  Budget& budget = row.budget;
  const CostSpec& cost = row.scenario->cost;
  const std::optional<double> price = device_price(row);
  // The price of a rented system contains its electricity; a price of one's own does not.
  const bool rented = cost.price_per_device_hour <= 0 && price.value_or(0.0) > 0;
  const bool charges_energy = cost.electricity_per_kWh > 0 && !rented;
  const bool charges_devices = price.value_or(0.0) > 0;
  if (!charges_energy && !charges_devices) return;
  if (charges_energy && !budget.energy) return;
  budget.cost = price.value_or(0.0) * *budget.device_hours;
  if (charges_energy) *budget.cost += budget.energy->total().value() / joules_per_kWh * cost.electricity_per_kWh;
  budget.currency = cost.currency.empty() ? row.strategy->cluster.currency : cost.currency;
}

void fill_curve(ResultRow& row, const EnergyClock& clock) {
  row.curve = row.way->curve;
  row.has_energy = clock.after(0).has_value();
  const double target = row.scenario->workload.target_accuracy;
  for (CurvePoint& point : row.curve) {
    if (const auto energy = clock.after(static_cast<double>(point.round))) point.energy = energy->total();
    if (target > 0 && !row.at_target && point.accuracy >= target) row.at_target = point;
  }
}

}  // namespace

void fill_budget(ResultRow& row) {
  const Way& way = *row.way;
  const EnergyClock clock(row);
  fill_curve(row, clock);
  if (way.steps <= 0) return;
  Budget& budget = row.budget;
  budget.time = way.data_transfer.time + row.time.step * way.steps;
  budget.bytes = way.data_transfer.bytes + row.traffic.total() * way.steps;
  budget.energy = clock.after(way.steps);
  budget.device_hours = device_seconds(row) / seconds_per_hour;
  if (budget.energy && row.scenario->energy.gCO2e_per_kWh > 0) {
    constexpr double grams_per_kilogram = 1000;
    budget.emissions_kg =
        budget.energy->total().value() / joules_per_kWh * row.scenario->energy.gCO2e_per_kWh / grams_per_kilogram;
  }
  fill_cost(row);
}

}  // namespace orrery
