// One row of results.csv: every figure of one way, computed from Records by pure functions. A missing value is an empty
// optional, never a made-up number.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/step_time.hpp"
#include "analysis/metrics/traffic.hpp"
#include "scenarios/way.hpp"

namespace orrery {

/// Of one step (federated: the mean round).
struct Throughput {
  double samples_per_s = 0;
  std::optional<double> tokens_per_s;             // sequences only
  std::optional<double> model_TFLOPS_per_device;  // useful arithmetic of one device
  std::optional<double> mfu, hfu;                 // shares of the devices' peak; hfu counts recomputation too
  std::optional<double> scaling_efficiency;       // samples_per_s per device, over the reference's
};

/// Of the whole training. Everything is empty when the number of steps is unknown.
struct Budget {
  std::optional<Seconds> time;  // data transfer + steps x step time
  std::optional<Bytes> bytes;   // data transfer + steps x bytes of all links, each message once
  std::optional<EnergyParts> energy;
  std::optional<double> device_hours, emissions_kg, cost;
  std::string currency;  // of cost
};

struct ResultRow {
  const Scenario* scenario = nullptr;
  const StrategySpec* strategy = nullptr;
  const Way* way = nullptr;
  // Everything below is zero or empty when the way was not simulated
  StepTime time;       // federated: means over the rounds
  double devices = 0;  // that a step keeps: ranks; federated: clients that take part in a round, mean
  Throughput throughput;
  Traffic traffic;              // per step, all links
  double bytes_per_device = 0;  // sent by one device in a step, mean (federated: by a client that takes part)
  Bottleneck bottleneck;
  std::optional<EnergyParts> step_energy;
  std::string energy_source;  // "device model", or "rapl": counted by the processors; empty without step_energy
  Budget budget;
  std::vector<CurvePoint> curve;        // with energy; zero energy when has_energy is false
  bool has_energy = false;              // the power of every device is known
  std::optional<CurvePoint> at_target;  // first point that reached the target
  [[nodiscard]] bool simulated() const { return way->status == WayStatus::ok; }
  [[nodiscard]] bool federated() const { return strategy->kind == StrategyKind::federated; }
};

/// The strategy that others are compared with: the scenario's, else its first.
std::string reference_name(const Scenario& scenario);

/// One row per way, in their order. Scenario and ways must outlive the rows. Throws std::logic_error for a way whose
/// strategy the scenario does not have.
std::vector<ResultRow> result_rows(const Scenario& scenario, const std::vector<Way>& ways);

}  // namespace orrery
