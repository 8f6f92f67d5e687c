#include "analysis/metrics/result_row.hpp"

#include <algorithm>
#include <stdexcept>

#include "analysis/metrics/learning_curve.hpp"
#include "analysis/metrics/step_figures.hpp"
#include "scenarios/client_population.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

const StrategySpec& strategy_of(const Scenario& scenario, const Way& way) {
  for (const StrategySpec& strategy : scenario.strategies) {
    if (strategy.name == way.strategy) return strategy;
  }
  throw std::logic_error("a way of the unknown strategy " + way.strategy);
}

/// What happened in a co-simulated run, and who took part: needed while a row is made, too large to keep.
struct Cosimulation {
  Population population;
  FederationSite site;
  std::optional<FederationPower> power;
  Ledger ledger;

  Cosimulation(const FederatedRun& run, Population clients, FederationSite where, const EnergySpec& energy)
      : population(std::move(clients)),
        site(std::move(where)),
        power(FederationPower::of(population, site, energy)),
        ledger(run, site, power) {}
  Cosimulation(const Cosimulation&) = delete;  // power looks at population
  Cosimulation& operator=(const Cosimulation&) = delete;
};

void fill_throughput(ResultRow& row, const StepFigures& figures) {
  const double step = row.time.step.value();
  if (step <= 0) return;
  Throughput& throughput = row.throughput;
  throughput.samples_per_s = row.way->samples_per_step / step;
  const LayerGraph& network = row.scenario->workload.network;
  if (network.sample == "sequence") {
    throughput.tokens_per_s = throughput.samples_per_s * static_cast<double>(network.input.height);
  }
  const double useful = row.way->model_flops.value() / step;
  if (figures.devices > 0) throughput.model_TFLOPS_per_device = useful / figures.devices / tera;
  if (!figures.peak || figures.peak->value() <= 0) return;
  throughput.mfu = useful / figures.peak->value();
  if (figures.executed) throughput.hfu = figures.executed->value() / step / figures.peak->value();
}

void fill_step(ResultRow& row, const StepFigures& figures) {
  row.time = figures.time;
  row.devices = figures.devices;
  row.traffic = figures.traffic;
  row.bytes_per_device = figures.bytes_per_device;
  row.bottleneck = figures.bottleneck;
  fill_throughput(row, figures);
}

/// Nothing when the power of a device is unknown.
std::optional<Used> transfer_use(const ResultRow& row) {
  const FederatedRun& run = row.way->data_transfer.run;
  if (run.steps.empty()) return Used{};
  const FederationSpec& federation = row.scenario->federation;
  const Cosimulation move(run,
                          draw_population(federation.groups, federation.server, federation.server_link, row.way->seed),
                          FederationSite{}, row.scenario->energy);
  if (!move.power) return std::nullopt;
  return used_by(move.ledger.after(run.steps.size()));
}

std::optional<Used> step_use(const ResultRow& row, const Cosimulation* run) {
  if (row.way->measured && row.way->measured->energy) {
    return Used{{.compute = *row.way->measured->energy, .communication = {}, .idle = {}}, {}, 0};
  }
  if (run == nullptr) {
    const auto energy = step_energy(*row.way, row.scenario->energy, row.strategy->cluster);
    return energy ? std::optional(Used{*energy, {}, 0}) : std::nullopt;
  }
  if (!run->power || run->ledger.steps() == 0) return std::nullopt;
  const auto steps = static_cast<double>(run->ledger.steps());
  return used_by(run->ledger.after(run->ledger.steps())) * (1 / steps);
}

/// Devices that the way uses of each group of nodes of a mixed cluster; empty: they are of one kind.
std::vector<double> devices_by_group(const ResultRow& row) {
  const ClusterDescription& cluster = row.strategy->cluster.description;
  const Way& way = *row.way;
  if (cluster.more.empty() || way.placement.empty()) return {};
  std::vector<double> devices(cluster.groups(), 0.0);
  for (std::size_t rank = 0; rank < way.placement.size(); ++rank) {
    const PlatformHost& host = way.platform.hosts[way.placement[rank].index()];
    devices[cluster.group_of_node(host.node)] += way.copies_of(RankId(rank));
  }
  return devices;
}

Account account_of(const ResultRow& row, const Cosimulation* run) {
  Account account;
  account.energy = row.scenario->energy;
  std::vector<double> used = devices_by_group(row);
  if (used.empty()) used = {static_cast<double>(row.devices)};
  account.prices = prices_of(*row.scenario, *row.strategy, used);
  account.transfer = transfer_use(row);
  account.step = step_use(row, run);
  account.device_time = row.time.step * row.devices;
  const bool counted = row.way->measured && row.way->measured->energy;
  if (run != nullptr && !counted) account.ledger = &run->ledger;
  return account;
}

void fill_use_of_step(ResultRow& row, Account account) {
  account.transfer = Used{};
  if (!row.cosimulated()) row.step_cost = spending_after(account, 1).cost;
  if (!account.step) return;
  row.step_energy = account.step->energy;
  row.energy_source = row.way->measured && row.way->measured->energy ? "rapl" : "device model";
}

/// Of the messages of all steps: where the ledger has them all, its sum to the byte, as on the curve.
Bytes bytes_of_steps(const ResultRow& row) {
  if (row.federated && row.way->steps == static_cast<double>(row.federated->steps)) return row.federated->totals.sent;
  return row.traffic.total() * row.way->steps;
}

void fill_budget(ResultRow& row, const Account& account) {
  const Way& way = *row.way;
  if (way.steps <= 0) return;
  Budget& budget = row.budget;
  const Spending spent = spending_after(account, way.steps);
  budget.time = way.data_transfer.time + row.time.step * way.steps;
  budget.bytes = way.data_transfer.bytes + bytes_of_steps(row);
  budget.energy = spent.energy;
  budget.device_hours = spent.device_time.value() / seconds_per_hour;
  budget.emissions_kg = spent.emissions_kg;
  budget.cost = spent.cost;
  budget.currency = account.prices.currency;
}

ResultRow make_row(const Scenario& scenario, const Way& way) {
  ResultRow row;
  row.scenario = &scenario;
  row.strategy = &strategy_of(scenario, way);
  row.way = &way;
  if (!row.simulated()) return row;
  const Precision precision = row.strategy->precision;
  std::optional<Cosimulation> run;
  if (row.cosimulated()) {
    run.emplace(way.federated, client_population(scenario, *row.strategy, way.seed), site_of(*row.strategy),
                scenario.energy);
    const FederatedTotals& totals = run->ledger.after(run->ledger.steps());
    row.federated = {totals, run->ledger.steps(), run->power.has_value(),
                     run->ledger.worst_staleness(0, run->ledger.steps()), run->ledger.steps_with_reports()};
    fill_step(row, cosimulated_step(way, precision, run->population, run->site, totals));
  } else {
    fill_step(row, central_step(way, precision));
  }
  const Account account = account_of(row, run ? &*run : nullptr);
  fill_use_of_step(row, account);
  fill_budget(row, account);
  row.curve = learning_curve(way, account, run ? &run->ledger : nullptr);
  row.at_target = first_at(row.curve, scenario.workload.target_accuracy);
  return row;
}

/// Only ways on the same kind of device can be said to scale.
void fill_scaling(std::vector<ResultRow>& rows, const std::string& reference_name) {
  const auto reference = std::find_if(rows.begin(), rows.end(), [&](const ResultRow& row) {
    return row.strategy->name == reference_name && row.simulated() && !row.cosimulated();
  });
  if (reference == rows.end() || reference->throughput.samples_per_s <= 0) return;
  const double base = reference->throughput.samples_per_s / reference->devices;
  const std::string kind = device_names(*reference);
  for (ResultRow& row : rows) {
    if (!row.simulated() || row.cosimulated() || device_names(row) != kind) continue;
    row.throughput.scaling_efficiency = row.throughput.samples_per_s / row.devices / base;
  }
}

/// Of the row and its repetitions.
SeedFigures seed_figures(const ResultRow& row) {
  std::vector<const ResultRow*> all = {&row};
  for (const ResultRow& other : row.repetitions) all.push_back(&other);
  const auto over = [&all](auto figure) {
    std::vector<std::optional<double>> values;
    for (const ResultRow* one : all) values.push_back(figure(*one));
    return spread(values);
  };
  const auto at_target = [&over](auto figure) {
    return over(
        [figure](const ResultRow& one) { return one.at_target ? figure(*one.at_target) : std::optional<double>(); });
  };
  SeedFigures figures;
  figures.count = all.size();
  figures.final_accuracy = over([](const ResultRow& one) {
    return one.curve.empty() ? std::optional<double>() : one.curve.back().point.accuracy;
  });
  figures.time_to_accuracy_s = at_target([](const CurveEntry& at) { return std::optional(at.point.time.value()); });
  figures.rounds_to_accuracy =
      at_target([](const CurveEntry& at) { return std::optional(static_cast<double>(at.point.round)); });
  figures.energy_to_accuracy_J = at_target([](const CurveEntry& at) {
    return at.spent.energy ? std::optional(at.spent.energy->total().value()) : std::nullopt;
  });
  figures.time_to_train_s = over(
      [](const ResultRow& one) { return one.budget.time ? std::optional(one.budget.time->value()) : std::nullopt; });
  figures.energy_J = over([](const ResultRow& one) {
    return one.budget.energy ? std::optional(one.budget.energy->total().value()) : std::nullopt;
  });
  if (row.scenario->workload.target_accuracy > 0 && !row.curve.empty()) {
    figures.reached = static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const ResultRow* one) { return one->at_target.has_value(); }));
  }
  return figures;
}

}  // namespace

std::optional<double> FederatedFigures::waste_share() const {
  const FederatedEnergy all = totals.energy();
  const Joules clients = all.total() - all.server();
  if (!has_energy || clients <= Joules{}) return std::nullopt;
  return totals.wasted_energy.total() / clients;
}

std::string reference_name(const Scenario& scenario) {
  if (!scenario.reference.empty() || scenario.strategies.empty()) return scenario.reference;
  return scenario.strategies.front().name;
}

std::string device_names(const ResultRow& row) {
  const ClusterDescription& cluster = row.strategy->cluster.description;
  const std::vector<double> used = devices_by_group(row);
  std::vector<std::string> names;
  for (std::size_t group = 0; group < cluster.groups(); ++group) {
    const std::string& id = cluster.group(group).device.id;
    const bool is_in_use = used.empty() ? group == 0 || row.way->placement.empty() : used[group] > 0;
    if (is_in_use && std::find(names.begin(), names.end(), id) == names.end()) names.push_back(id);
  }
  return join(names, "+");
}

std::string compute_model(const ResultRow& row) {
  if (row.way->measured) return "executed";
  return std::string(name_of(priced_by(*row.scenario, row.strategy->kind)));
}

std::vector<ResultRow> result_rows(const Scenario& scenario, const std::vector<Way>& ways) {
  std::vector<ResultRow> rows;
  for (const Way& way : ways) {
    ResultRow row = make_row(scenario, way);
    const bool again = !rows.empty() && rows.back().way->strategy == way.strategy;
    (again ? rows.back().repetitions : rows).push_back(std::move(row));
  }
  for (ResultRow& row : rows) row.seeds = seed_figures(row);
  fill_scaling(rows, reference_name(scenario));
  return rows;
}

}  // namespace orrery
