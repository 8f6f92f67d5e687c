// Power while training, from the idle, training and maximum power of devices and nodes.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/metrics/energy.hpp"
#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Boards that train draw between these shares of the way from idle to their training power: kernels bound by memory
/// draw .60 to .75 of the maximum, large products .90 to 1.
constexpr double least_share = 0.6, most_share = 1.2;
/// Boards of one kind that hardly work differ by so much (ncf of the Zeus traces: means of 34.8 to 40 W on V100, 55 to
/// 70 W on Quadro RTX 6000).
constexpr double spread_of_idle = 0.15;
/// Mean power under a limit: boards keep below it by up to this much, and overshoot a little.
constexpr double least_of_limit = 0.84, most_of_limit = 1.02;

/// "power limit 150 W (of 250)" in the notes.
std::optional<double> power_limit(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  for (std::size_t index = 0; index + 2 < words.size(); ++index) {
    if (words[index] == "power" && words[index + 1] == "limit") return parse_number(words[index + 2]);
  }
  return std::nullopt;
}

/// Share of the step in which kernels run.
double busy_share(const StepPrediction& step) {
  return (step.parts.compute + step.parts.recompute + step.parts.optimizer) / step.time();
}

/// min(limit, idle + (training - idle) x share of the step that the device computes).
Predicted device_power(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  const Device& device = solved.row.job.cluster.device;
  const double training = training_power(device).value(), idle = device.idle.value();
  if (training <= 0) throw RowSkipped(fmt::format("the power of {} is unknown", device.id));
  const double most = device.maximum.value() > 0 ? device.maximum.value() : training;
  const double limit = std::min(most, power_limit(row).value_or(most));
  const double error = solved.row.job.framework.model_error.value;
  const Ranged busy = predicted_range(solved.row.job, solved.row.layout, busy_share, error);
  const auto at = [&](double resting, double share, double of_limit) {
    return std::min(limit * of_limit, resting + std::max(0.0, training - resting) * share);
  };
  return {{at(idle, busy.value, 1), at(idle * (1 - spread_of_idle), busy.low * least_share, least_of_limit),
           at(idle * (1 + spread_of_idle), std::min(1.0, busy.high) * most_share, most_of_limit)},
          solved.row.assumed,
          {limit, 1, NullModel::Rate::power}};
}

const System& usual_system(const MeasuredRow& row, const ValidationTables& tables, std::vector<std::string>& assumed) {
  const NamedDevice named = find_device(row.device, tables.devices, tables.catalogue);
  if (named.device == nullptr) throw RowSkipped(named.assumed);
  const System* system = Fabrics(tables.catalogue, tables.fabrics).usual_system(*named.device);
  if (system == nullptr || system->node_training.value() <= 0) {
    throw RowSkipped(fmt::format("the catalogue has no system of {} with its power", named.device->id));
  }
  assumed.push_back(fmt::format("nodes as {} while training", system->id));
  return *system;
}

Ranged between(Watts training, Watts idle, Watts maximum, double scale) {
  const double least = (idle + (training - idle) * least_share).value();
  const double most = std::max(training, maximum).value();
  return {training.value() * scale, least * scale, most * scale};
}

Predicted node_power_kW(const MeasuredRow& row, CaseSolver& solver) {
  Predicted predicted;
  const System& system = usual_system(row, solver.tables(), predicted.assumed);
  predicted.value = between(system.node_training, system.node_idle, system.node_maximum, 1e-3);
  return predicted;
}

Predicted node_share_of_rating(const MeasuredRow& row, CaseSolver& solver) {
  Predicted predicted;
  const System& system = usual_system(row, solver.tables(), predicted.assumed);
  if (system.node_maximum.value() <= 0) throw RowSkipped(fmt::format("{} has no rating", system.id));
  predicted.value =
      between(system.node_training, system.node_idle, system.node_maximum, 100 / system.node_maximum.value());
  return predicted;
}

/// Devices without the rest of their nodes, where no system of the catalogue has them.
Predicted bare_devices(const Device& device, double devices) {
  const double training = training_power(device).value(), idle = device.idle.value();
  if (training <= 0) throw RowSkipped(fmt::format("the power of {} is unknown", device.id));
  const auto at = [&](double share) { return devices * (idle + (training - idle) * share); };
  return {{at(1), at(least_share), at(most_share)}, {"devices alone, without their hosts"}, {}};
}

/// A device's part of its node.
Predicted per_device(const MeasuredRow& row, CaseSolver& solver, double devices) {
  const NamedDevice named = find_device(row.device, solver.tables().devices, solver.tables().catalogue);
  if (named.device == nullptr) throw RowSkipped(named.assumed);
  const Fabrics fabrics(solver.tables().catalogue, solver.tables().fabrics);
  if (fabrics.usual_system(*named.device) == nullptr) return bare_devices(*named.device, devices);
  Predicted predicted;
  const System& system = usual_system(row, solver.tables(), predicted.assumed);
  predicted.value = between(system.node_training, system.node_idle, system.node_maximum,
                            devices / static_cast<double>(system.devices_per_node));
  return predicted;
}

Predicted power_per_device(const MeasuredRow& row, CaseSolver& solver) {
  return per_device(row, solver, 1);
}

Predicted power_of_all(const MeasuredRow& row, CaseSolver& solver) {
  if (!row.devices) throw RowSkipped("missing: devices");
  return per_device(row, solver, static_cast<double>(*row.devices));
}

/// Device-hours of the notes x training power x PUE.
Predicted energy_of_hours(const MeasuredRow& row, CaseSolver& solver) {
  const NamedDevice named = find_device(row.device, solver.tables().devices, solver.tables().catalogue);
  if (named.device == nullptr) throw RowSkipped(named.assumed);
  const auto hours = number_beside(row.notes, "gpu", -1);
  if (!hours) throw RowSkipped("missing: device-hours, in the notes");
  const double pue = number_beside(row.notes, "pue", 1).value_or(1);
  const Device& device = *named.device;
  const double training = training_power(device).value(), idle = device.idle.value();
  const double most = std::max(training, device.maximum.value());
  const double scale = *hours * pue / (row.unit == "kWh" ? 1e3 : 1e6);
  return {{training * scale, (idle + (training - idle) * least_share) * scale, most * scale},
          {fmt::format("{} h of one device, PUE {}", number_text(*hours), number_text(pue))},
          {}};
}

}  // namespace

std::vector<Metric> power_metrics() {
  return {{"avg_gpu_power", "W", device_power},
          {"max_node_power", "kW", node_power_kW},
          {"node_power_fraction_of_rating", "%", node_share_of_rating},
          {"system_power_per_processor", "W", power_per_device},
          {"system_power", "W", power_of_all},
          {"energy", "MWh", energy_of_hours},
          {"energy", "kWh", energy_of_hours},
          {"energy_dynamic", "MWh", energy_of_hours},
          {"energy_dynamic", "kWh", energy_of_hours}};
}

}  // namespace orrery
