// One row of results.csv: every figure of one way, computed from what happened by pure functions. A missing value is an
// empty optional, never a made-up number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/learning_curve.hpp"
#include "analysis/metrics/ledger.hpp"
#include "analysis/metrics/seeds.hpp"
#include "analysis/metrics/spending.hpp"
#include "analysis/metrics/step_time.hpp"
#include "analysis/metrics/traffic.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/way.hpp"

namespace orrery {

/// Of one step (co-simulated: the mean server step).
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

/// The whole of a co-simulated run.
struct FederatedFigures {
  FederatedTotals totals;
  std::size_t steps = 0;  // of the server, in the run
  bool has_energy = false;
  std::int64_t staleness_max = 0;
  std::size_t steps_with_reports = 0;  // all others left the weights as they were
  /// Joules of trips that did not report, and of bytes sent again, over those of all clients and their network: 1 when
  /// nobody ever reported. The server's are no client's waste. Nothing where they are unknown or zero.
  [[nodiscard]] std::optional<double> waste_share() const;
};

struct ResultRow {
  const Scenario* scenario = nullptr;
  const StrategySpec* strategy = nullptr;
  const Way* way = nullptr;
  // Everything below is zero or empty when the way was not simulated
  StepTime time;       // co-simulated: means over the server steps
  double devices = 0;  // that a step keeps: ranks; co-simulated: clients on a trip at the same time, mean
  Throughput throughput;
  Traffic traffic;              // per step, all links
  double bytes_per_device = 0;  // sent by one device in a step, mean (co-simulated: by a client on a trip)
  Bottleneck bottleneck;
  std::optional<EnergyParts> step_energy;
  std::optional<double> step_cost;  // in budget's currency; nothing: unknown, or not asked for
  std::string energy_source;        // "device model", or "rapl": counted by the processors; empty without step_energy
  Budget budget;
  std::optional<FederatedFigures> federated;
  std::vector<CurveEntry> curve;
  std::optional<CurveEntry> at_target;  // first point that reached the target
  SeedFigures seeds;                    // of all repetitions, this one included
  std::vector<ResultRow> repetitions;   // the same strategy with the other seeds
  [[nodiscard]] bool simulated() const { return way->status == WayStatus::ok; }
  [[nodiscard]] bool cosimulated() const { return is_cosimulated(strategy->kind); }
};

/// Catalogue ids of the devices that a way on a cluster has, joined by +: of every kind in use; of the whole cluster
/// before there is a plan.
std::string device_names(const ResultRow& row);

/// What said how long computing takes: replay, roofline, operators, or executed (the column of that name).
std::string compute_model(const ResultRow& row);

/// The strategy that others are compared with: the scenario's, else its first.
std::string reference_name(const Scenario& scenario);

/// One row per strategy of the ways, in their order: ways of one strategy that follow each other are repetitions with
/// other seeds, and the row is the first one's. Scenario and ways must outlive the rows. Throws std::logic_error for a
/// way whose strategy the scenario does not have.
std::vector<ResultRow> result_rows(const Scenario& scenario, const std::vector<Way>& ways);

}  // namespace orrery
