#include "analysis/reports/winners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>

#include "analysis/reports/participation.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

enum class Better : std::uint8_t { less, more };

struct Criterion {
  std::string name;
  Better better;
  std::function<std::optional<double>(const ResultRow&)> figure;
  std::function<std::string(double, const ResultRow&)> text;
  enum class Of : std::uint8_t { training, other } of = Of::other;  // training: what one takes
  std::string competitors = {};  // who they are, for a winner that does not speak for all ways; empty: not said
  std::string repeats = {};      // the criterion before it that it takes the place of where both say the same
  bool (*is_asked)(const std::vector<ResultRow>& rows) = nullptr;  // null: always
};

bool is_tie(double a, double b) {
  constexpr double tolerance = 1e-6;
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

template <class Unit>
std::string in_unit(double value, const ResultRow& /*row*/) {
  return human(Unit(value));
}

template <class Value>
std::optional<double> plain(const std::optional<Value>& quantity) {
  return quantity ? std::optional(quantity->value()) : std::nullopt;
}

std::optional<double> step(const ResultRow& row) {
  if (row.cosimulated()) return std::nullopt;
  return row.time.step.value();
}

/// Whether the training came to something: what it took is a figure of merit only then.
bool trained(const ResultRow& row) {
  if (!row.at_target && !mostly_trained(row)) return false;
  const bool has_target = row.scenario->workload.target_accuracy > 0;
  return !has_target || row.curve.empty() || row.at_target;
}

std::optional<double> time(const ResultRow& row) {
  return trained(row) ? plain(row.budget.time) : std::nullopt;
}

std::optional<double> bytes(const ResultRow& row) {
  return trained(row) ? plain(row.budget.bytes) : std::nullopt;
}

std::optional<double> emissions(const ResultRow& row) {
  return trained(row) ? row.budget.emissions_kg : std::nullopt;
}

std::optional<double> energy(const ResultRow& row) {
  return trained(row) && row.budget.energy ? std::optional(row.budget.energy->total().value()) : std::nullopt;
}

/// Nothing for a way that was executed: what it took is not measured.
std::optional<double> memory(const ResultRow& row) {
  const Bytes peak = row.way->memory.peak();
  return peak > Bytes{} ? std::optional(peak.value()) : std::nullopt;
}

/// Only where the energy of the whole training is unknown.
std::optional<double> energy_per_step(const ResultRow& row) {
  const bool asked = row.step_energy && !row.budget.time && !row.cosimulated();
  return asked ? std::optional(row.step_energy->total().value()) : std::nullopt;
}

/// Trained until the target was reached, with every seed, and stopped.
bool stopped_at_target(const ResultRow& row) {
  return row.at_target && row.seeds.reached.value_or(0) == row.seeds.count;
}

/// What the table prints.
std::optional<double> accuracy(const ResultRow& row) {
  if (row.seeds.final_accuracy) return row.seeds.final_accuracy->mean;
  return row.curve.empty() ? std::nullopt : std::optional(row.curve.back().point.accuracy);
}

std::optional<double> time_to_target(const ResultRow& row) {
  return row.at_target ? std::optional(row.at_target->point.time.value()) : std::nullopt;
}

std::optional<double> bytes_to_target(const ResultRow& row) {
  return row.at_target ? std::optional(row.at_target->point.bytes.value()) : std::nullopt;
}

std::optional<double> energy_to_target(const ResultRow& row) {
  const bool known = row.at_target && row.at_target->spent.energy;
  return known ? std::optional(row.at_target->spent.energy->total().value()) : std::nullopt;
}

/// Clients' devices have no price: where others pay for theirs, a federated way does not compete.
std::optional<double> rent_or_electricity(const ResultRow& row) {
  const auto pays = [](const StrategySpec& strategy) { return strategy.cluster.price_per_hour > 0; };
  const auto& all = row.scenario->strategies;
  const bool others_pay = row.scenario->cost.price_per_device_hour > 0 || std::any_of(all.begin(), all.end(), pays);
  const bool competes = trained(row) && !(row.strategy->kind == StrategyKind::federated && others_pay);
  return competes ? row.budget.cost : std::nullopt;
}

/// A way that had fewer reports than it asks for took less and trained less, unless it reached the target all the same.
std::string reports_remark(const std::vector<const ResultRow*>& best) {
  std::string remark;
  for (const ResultRow* row : best) {
    const std::string fewer = row->at_target ? std::string{} : fewer_reports_text(*row);
    if (fewer.empty()) continue;
    remark += "; " + (best.size() > 1 ? row->strategy->name + ": " : std::string{}) + fewer;
  }
  return remark;
}

/// Where all learned until they met the target, how far each overshot it is no merit.
bool some_went_on(const std::vector<ResultRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const ResultRow& row) { return !row.curve.empty() && !stopped_at_target(row); });
}

std::vector<Criterion> criteria() {
  using Of = Criterion::Of;
  return {
      {"fastest step", Better::less, step, in_unit<Seconds>},
      {"fastest to train", Better::less, time, in_unit<Seconds>, Of::training},
      {"first to target", Better::less, time_to_target, in_unit<Seconds>, Of::other, {}, "fastest to train"},
      {"fewest bytes", Better::less, bytes, in_unit<Bytes>, Of::training},
      {"bytes to target", Better::less, bytes_to_target, in_unit<Bytes>, Of::other, {}, "fewest bytes"},
      {"least energy", Better::less, energy, in_unit<Joules>, Of::training},
      {"energy to target", Better::less, energy_to_target, in_unit<Joules>, Of::other, {}, "least energy"},
      {"least CO2e", Better::less, emissions, [](double value, const ResultRow&) { return human_mass(value); },
       Of::training},
      {"least energy/step", Better::less, energy_per_step, in_unit<Joules>},
      {"least memory", Better::less, memory,
       [](double value, const ResultRow&) { return human_memory(Bytes(value)) + " per device"; }},
      {"cheapest", Better::less, rent_or_electricity,
       [](double value, const ResultRow& row) { return human_cost(value, row.budget.currency); }, Of::training,
       "ways that have a price and trained"},
      {"best accuracy",
       Better::more,
       accuracy,
       [](double value, const ResultRow&) { return human_accuracy(value); },
       Of::other,
       {},
       {},
       some_went_on},
  };
}

/// Nothing when fewer than two rows have the figure.
std::optional<Winner> judge(const Criterion& criterion, const std::vector<ResultRow>& rows) {
  const ResultRow* best = nullptr;
  std::vector<std::pair<const ResultRow*, double>> figures;
  std::size_t simulated = 0;
  for (const ResultRow& row : rows) {
    if (!row.simulated()) continue;
    ++simulated;
    if (const auto figure = criterion.figure(row)) figures.emplace_back(&row, *figure);
  }
  if (figures.size() < 2) return std::nullopt;
  double record = figures.front().second;
  best = figures.front().first;
  for (const auto& [row, figure] : figures) {
    if (criterion.better == Better::less ? figure < record : figure > record) {
      record = figure;
      best = row;
    }
  }
  Winner winner{criterion.name, {}, criterion.text(record, *best)};
  if (!criterion.competitors.empty() && figures.size() < simulated) {
    winner.value += fmt::format("; of the {} {}", figures.size(), criterion.competitors);
  }
  std::vector<const ResultRow*> tied;
  for (const auto& [row, figure] : figures) {
    if (is_tie(figure, record)) tied.push_back(row);
  }
  for (const ResultRow* row : tied) winner.strategies.push_back(row->strategy->name);
  if (criterion.of == Criterion::Of::training) winner.value += reports_remark(tied);
  return winner;
}

/// The same figure twice: once is enough.
void leave_out(const std::string& criterion, const Winner& same, std::vector<Winner>& list) {
  std::erase_if(list, [&](const Winner& winner) {
    return winner.criterion == criterion && winner.strategies == same.strategies && winner.value == same.value;
  });
}

}  // namespace

std::vector<Winner> winners(const std::vector<ResultRow>& rows) {
  std::vector<Winner> list;
  for (const Criterion& criterion : criteria()) {
    if (criterion.is_asked != nullptr && !criterion.is_asked(rows)) continue;
    auto winner = judge(criterion, rows);
    if (!winner) continue;
    leave_out(criterion.repeats, *winner, list);
    list.push_back(std::move(*winner));
  }
  return list;
}

}  // namespace orrery
