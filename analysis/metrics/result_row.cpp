#include "analysis/metrics/result_row.hpp"

#include <algorithm>
#include <stdexcept>

#include "analysis/metrics/budget.hpp"
#include "analysis/metrics/rounds.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

const StrategySpec& strategy_of(const Scenario& scenario, const Way& way) {
  for (const StrategySpec& strategy : scenario.strategies) {
    if (strategy.name == way.strategy) return strategy;
  }
  throw std::logic_error("a way of the unknown strategy " + way.strategy);
}

/// Sum of the peaks of the devices that work on a step, and their number. Federated: means over the rounds.
struct Workforce {
  double devices = 0;
  std::optional<FlopsPerSecond> peak = FlopsPerSecond{};  // empty: a device has none at this precision

  void add(const Device& device, Precision precision, double weight) {
    devices += weight;
    try {
      if (peak) *peak += device.peak_for(precision) * weight;
    } catch (const Infeasible&) {
      peak.reset();
    }
  }
};

Workforce workforce(const ResultRow& row) {
  const Way& way = *row.way;
  const Precision precision = row.strategy->precision;
  Workforce force;
  if (!row.federated()) {
    for (const DeviceId device : way.placement) force.add(way.devices[device.index()], precision, 1.0);
    return force;
  }
  const std::vector<FederatedRound> rounds = rounds_of(way);
  for (const FederatedRound& round : rounds) {
    for (const Participation& client : participations(round, RankId(way.records.ranks - 1))) {
      force.add(way.devices[client.client.index()], precision, 1.0 / static_cast<double>(rounds.size()));
    }
  }
  return force;
}

/// Steps that the records hold: 1, or all rounds.
double steps_recorded(const ResultRow& row) {
  if (!row.federated()) return 1.0;
  return std::max(1.0, static_cast<double>(row.way->federated.round_starts.size()) - 1.0);
}

void fill_throughput(ResultRow& row, const Workforce& force) {
  const double step = row.time.step.value();
  if (step <= 0) return;
  Throughput& throughput = row.throughput;
  throughput.samples_per_s = row.way->samples_per_step / step;
  const LayerGraph& network = row.scenario->workload.network;
  if (network.sample == "sequence") {
    throughput.tokens_per_s = throughput.samples_per_s * static_cast<double>(network.input.height);
  }
  if (force.devices > 0)
    throughput.model_TFLOPS_per_device = row.way->model_flops.value() / step / force.devices / tera;
  if (!force.peak || force.peak->value() <= 0) return;
  Flops executed;
  for (const Activity& activity : row.way->records.activities) executed += activity.flops;
  const double possible = force.peak->value() * step;
  throughput.mfu = row.way->model_flops.value() / possible;
  if (row.way->measured) return;  // what the processors executed beyond the model's FLOPs is not counted
  throughput.hfu = executed.value() / steps_recorded(row) / possible;
}

void fill_traffic(ResultRow& row) {
  const Way& way = *row.way;
  const double steps = steps_recorded(row);
  row.traffic = traffic(way.platform, way.records.links);
  for (Bytes* bytes : {&row.traffic.intra_node, &row.traffic.inter_node, &row.traffic.wan}) *bytes *= 1.0 / steps;
  row.bottleneck = bottleneck(way.platform, way.records);
  Bytes sent;
  for (const Activity& activity : way.records.activities) {
    const bool server = row.federated() && activity.rank == RankId(way.records.ranks - 1);
    if (!server) sent += activity.bytes;
  }
  if (row.devices > 0) row.bytes_per_device = sent.value() / steps / row.devices;
}

std::optional<EnergyParts> energy_of_step(const ResultRow& row) {
  if (!row.federated()) return step_energy(*row.way, row.scenario->energy, row.strategy->cluster);
  const auto rounds = round_energies(*row.way, row.scenario->energy);
  if (!rounds || rounds->empty()) return std::nullopt;
  EnergyParts sum;
  for (const EnergyParts& round : *rounds) sum += round;
  return sum * (1.0 / static_cast<double>(rounds->size()));
}

ResultRow make_row(const Scenario& scenario, const Way& way) {
  ResultRow row;
  row.scenario = &scenario;
  row.strategy = &strategy_of(scenario, way);
  row.way = &way;
  if (!row.simulated()) return row;
  row.time = row.federated() ? mean_round_time(way) : step_time(way.records);
  row.time = with_stragglers(row.time, way.straggler_share);
  const Workforce force = workforce(row);
  row.devices = force.devices;
  fill_throughput(row, force);
  fill_traffic(row);
  if (way.measured && way.measured->energy) {
    row.step_energy = EnergyParts{.compute = *way.measured->energy, .communication = {}, .idle = {}};
    row.energy_source = "rapl";
  } else if ((row.step_energy = energy_of_step(row))) {
    row.energy_source = "device model";
  }
  fill_budget(row);
  return row;
}

std::string device_kind(const ResultRow& row) {
  return row.strategy->cluster.description.device.id;
}

/// Only ways on the same kind of device can be said to scale.
void fill_scaling(std::vector<ResultRow>& rows, const std::string& reference_name) {
  const auto reference = std::find_if(rows.begin(), rows.end(), [&](const ResultRow& row) {
    return row.strategy->name == reference_name && row.simulated() && !row.federated();
  });
  if (reference == rows.end() || reference->throughput.samples_per_s <= 0) return;
  const double base = reference->throughput.samples_per_s / reference->devices;
  const std::string kind = device_kind(*reference);
  for (ResultRow& row : rows) {
    if (!row.simulated() || row.federated() || device_kind(row) != kind) continue;
    row.throughput.scaling_efficiency = row.throughput.samples_per_s / row.devices / base;
  }
}

}  // namespace

std::string reference_name(const Scenario& scenario) {
  if (!scenario.reference.empty() || scenario.strategies.empty()) return scenario.reference;
  return scenario.strategies.front().name;
}

std::vector<ResultRow> result_rows(const Scenario& scenario, const std::vector<Way>& ways) {
  std::vector<ResultRow> rows;
  rows.reserve(ways.size());
  for (const Way& way : ways) rows.push_back(make_row(scenario, way));
  fill_scaling(rows, reference_name(scenario));
  return rows;
}

}  // namespace orrery
