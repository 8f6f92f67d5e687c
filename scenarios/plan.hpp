// A Plan: what a strategy makes of a workload and a cluster. One training step as a Program, and what the program
// cannot say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/cost/memory.hpp"
#include "scenarios/scenario.hpp"
#include "sim/base/ranged.hpp"
#include "sim/engine/platform.hpp"
#include "sim/program/program.hpp"

namespace orrery {

struct Degrees {
  int dp = 1, tp = 1, pp = 1, cp = 1, ep = 1;
};

/// Nodes of the cluster whose devices the same ranks stand for.
struct NodesOfRanks {
  std::vector<RankId> ranks;  // each once
  double count = 0;           // nodes
};

/// A platform of a plan's own, on which one rank may stand for many devices and one link for many.
struct PlanPlatform {
  Platform platform;
  std::vector<LinkPower> link_power;  // of each of its links
  std::vector<double> copies;         // devices that each rank stands for; empty: one each
  std::vector<double> link_copies;    // links that each link stands for; empty: one each
  /// Of one of those links, of which the simulated one is but the share of the ranks that are simulated: what it
  /// carries, and its bytes per byte on the simulated one. Empty: as simulated.
  std::vector<BytesPerSecond> link_rates{};
  std::vector<double> link_bytes{};
  std::vector<NodesOfRanks> nodes{};  // of ranks that stand for many devices; empty: those of the hosts
};

/// What the closed forms say of a layout, beside its simulation.
struct LayoutFigures {
  std::string text;       // "tp8 pp8 dp16 b1"
  Ranged step_time;       // seconds, with the range that all constants give it
  Bytes sent_per_device;  // mean, hidden or not
  /// Of it, by all devices on no wire of the simulation, inside nodes and between them:
  /// scenarios/strategies/hybrid_traffic.
  Bytes beside_node, beside_network;
  Flops hardware_flops;    // of the step, recomputation included
  std::string collective;  // algorithm of the exchange of gradients
  BytesPerSecond bus;      // bus bandwidth that it reaches
};

struct Plan {
  Program program{0};               // one optimizer step (local SGD: those up to an average, and the average)
  std::vector<DeviceId> placement;  // rank -> device of the cluster
  Degrees degrees;
  MemoryEstimate memory;  // of the fullest device
  RankId fullest{0};      // the rank whose device that is
  int microbatches = 1;
  int optimizer_steps = 1;         // that the program makes; local SGD: those between two averages
  double samples = 0;              // samples per step
  Flops model_flops;               // forward + backward FLOPs of the step (MFU's numerator)
  std::vector<std::string> notes;  // formulas used and choices made, for `explain`
  /// Share of the step time that waiting for the slowest replica adds; not in the program, for analysis to add:
  /// FrameworkProfile::straggler_per_doubling x log2(replicas).
  double straggler_share = 0;
  /// Share of the time that devices are busy in which they stand between kernels: launched, or waiting for the host
  /// (StepParts::gaps); for energy to leave out.
  double gap_share = 0;
  std::optional<PlanPlatform> platform{};  // nothing: the cluster's
  std::optional<LayoutFigures> layout{};   // hybrid
};

/// What a strategy sees. Owns nothing: scenario and catalogue outlive it.
struct Job {
  const Scenario& scenario;
  const StrategySpec& strategy;
  const CostModel& cost;
  const Cluster& cluster;
};

/// One line per kind of strategy; `plan` throws Infeasible when the job cannot be split so (more stages than layers,
/// too many devices, ...).
struct StrategyEntry {
  StrategyKind kind;
  std::string name, summary;
  Plan (*plan)(const Job& job);  // null: co-simulated, its course is decided while it runs (scenarios/federated)
};
const std::vector<StrategyEntry>& strategies();
/// The entry of a kind.
const StrategyEntry& entry_of(StrategyKind kind);
/// federated and async: no plan, a run of clients and a server.
bool is_cosimulated(StrategyKind kind);
/// Whether a way's learning is its own: co-simulated ones, and local SGD. How a synchronous step is split over devices
/// does not change its mathematics: all other ways share one run.
bool learns_alone(StrategyKind kind);

// One file each in scenarios/strategies.
Plan plan_single(const Job& job);
Plan plan_data(const Job& job);
Plan plan_tensor(const Job& job);
Plan plan_layers(const Job& job);
Plan plan_pipeline(const Job& job);
Plan plan_hybrid(const Job& job);
Plan plan_local_sgd(const Job& job);

}  // namespace orrery
