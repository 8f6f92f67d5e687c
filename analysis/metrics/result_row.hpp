// One row of results.csv: every figure of one way, computed from Records by pure functions. A missing value is an empty
// optional, never a made-up number.
#pragma once

#include <optional>
#include <string>

#include "analysis/metrics/step_time.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct EnergyParts {
  Joules compute, communication,
      idle;  // devices busy; devices blocked in communication + links per byte; devices and links idle. With PUE.
  [[nodiscard]] Joules total() const { return compute + communication + idle; }
};

struct ResultRow {
  const Scenario* scenario = nullptr;
  const StrategySpec* strategy = nullptr;
  const Way* way = nullptr;
  StepTime time;                             // federated: means over the rounds
  std::optional<double> scaling_efficiency;  // against the reference, per device
  EnergyParts step_energy, train_energy;
  Bytes intra_node, inter_node, wan;  // per step, all links
  std::string bottleneck_link;
  double bottleneck_utilisation = 0;
  std::optional<Seconds> time_to_train;
  std::optional<double> device_hours, emissions_kg, cost;
  std::optional<double> final_accuracy;
  std::optional<CurvePoint> at_target;  // first point that reached the target, energy filled
};

std::vector<ResultRow> result_rows(const Scenario& scenario, const std::vector<Way>& ways, const Catalogue& catalogue);

}  // namespace orrery
