// Power while training, from the idle, training and maximum power of devices and nodes.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/metrics/energy.hpp"
#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Boards that train draw between these shares of the way from idle to their training power, and at most their limit:
/// kernels bound by memory draw .60 to .75 of the maximum, large products .90 to 1.
constexpr double least_share = 0.7;
/// Large products draw up to this much of the training power.
constexpr double most_share = 1.15;

/// "power limit 150 W (of 250)" in the notes.
std::optional<double> power_limit(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  for (std::size_t index = 0; index + 2 < words.size(); ++index) {
    if (words[index] == "power" && words[index + 1] == "limit") return parse_number(words[index + 2]);
  }
  return std::nullopt;
}

/// min(limit, idle + (training - idle) x share of the step that the device computes).
Predicted device_power(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  const Device& device = solved.row.job.cluster.device;
  const double training = training_power(device).value(), idle = device.idle.value();
  if (training <= 0) throw RowSkipped(fmt::format("the power of {} is unknown", device.id));
  const double most = device.maximum.value() > 0 ? device.maximum.value() : training;
  const double limit = std::min(most, power_limit(row).value_or(most));
  const StepParts& parts = solved.step.parts;
  const double busy = (parts.compute + parts.recompute + parts.optimizer) / parts.total();
  const auto at = [&](double share) { return std::min(limit, idle + (training - idle) * busy * share); };
  return {{at(1), at(least_share), at(most_share)}, solved.row.assumed, {limit, 1}};
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

/// A device's part of its node.
Predicted per_device(const MeasuredRow& row, CaseSolver& solver, double devices) {
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

}  // namespace

std::vector<Metric> power_metrics() {
  return {{"avg_gpu_power", "W", device_power},
          {"max_node_power", "kW", node_power_kW},
          {"node_power_fraction_of_rating", "%", node_share_of_rating},
          {"system_power_per_processor", "W", power_per_device},
          {"system_power", "W", power_of_all}};
}

}  // namespace orrery
