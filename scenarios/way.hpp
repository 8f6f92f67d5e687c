// A Way: one strategy of a scenario, simulated. The bridge between simulation and analysis: analysis computes every
// column from these.
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/federated_run.hpp"
#include "scenarios/plan.hpp"
#include "sim/engine/platform.hpp"
#include "sim/program/records.hpp"

namespace orrery {

/// failed: the simulation ended with an error or its process died.
enum class WayStatus : std::uint8_t { ok, infeasible, failed };

/// Where a way's learning curve comes from. Synchronous splitting does not change the mathematics: all centralised ways
/// share one run.
enum class CurveSource : std::uint8_t { none, own, shared };
std::string_view name_of(CurveSource source);
std::string_view name_of(WayStatus status);

/// One evaluation of a learning run on the simulated clock.
struct CurvePoint {
  std::int64_t round = 0;  // federated: rounds done; centralised: optimizer steps done
  double epoch = 0;        // passes over the training set (federated: of the selected clients' share)
  Seconds time;            // simulated, moving the data to the cluster included
  Bytes bytes;             // sent over every link up to then, once per message; co-simulated: filled by analysis
  Joules energy;           // filled by analysis
  double accuracy = 0, loss = 0, train_loss = 0;
  std::optional<double> epsilon{};    // differential privacy spent up to then
  std::optional<double> consensus{};  // gossip: root mean square distance of the clients' weights from their mean
};

/// Moving the training data from the clients, where it is born, to the cluster: a run in which every client sends its
/// part.
struct DataTransfer {
  Seconds time;
  Bytes bytes;
  FederatedRun run;  // one trip per client that only uploads; one step
};

/// Times of the steps (federated: rounds) of a way that was executed for real.
struct MeasuredSteps {
  std::size_t count = 0;
  Seconds low, median, high;  // 10th, 50th and 90th percentile
  /// Of one step, counted by the processors of all machines (PackageEnergy); none: one of them could not be read.
  std::optional<Joules> energy{};
};

struct Way {
  std::string strategy;  // its name in the scenario
  std::uint64_t seed = 1;
  WayStatus status = WayStatus::ok;
  std::string error;  // why not, in one line
  // The plan without its program
  Degrees degrees;
  MemoryEstimate memory;
  std::optional<LayoutFigures> layout;  // hybrid
  Bytes capacity;                       // memory of the device
  bool fits = true;
  int microbatches = 1;
  double samples_per_step = 0;  // federated: samples trained on per round, mean
  Flops model_flops;            // per step (federated: per round, mean)
  std::vector<std::string> notes;
  // What happened
  Platform platform;
  std::vector<LinkPower> link_power;  // of each link of the platform
  std::vector<Device> devices;        // of each host of the platform
  std::vector<DeviceId> placement;
  std::vector<double> copies;       // devices that each rank stands for; empty: one each
  std::vector<double> link_copies;  // links that each link stands for; empty: one each
  std::vector<NodesOfRanks> nodes;  // in use; empty: those of the hosts of the ranks
  /// Random stragglers, as a share of the simulated step: step time = makespan x (1 + share).
  double straggler_share = 0;
  double gap_share = 0;                               // of the time that devices are busy (Plan::gap_share)
  Records records;                                    // centralised: one step
  DataTransfer data_transfer;                         // zero unless data_origin = clients
  FederatedRun federated;                             // co-simulated ways: the whole run; its records stay empty
  std::vector<std::int64_t> samples;                  // of each of its clients; who they are: client_population()
  std::vector<std::vector<std::int32_t>> histograms;  // [client][class]; empty without learning
  std::vector<CurvePoint> curve;                      // empty when nothing is learned
  CurveSource curve_source = CurveSource::none;
  double steps = 0;  // steps (rounds) to train: as asked, or as many as the target took; 0: unknown
  bool target_reached = false;
  std::optional<MeasuredSteps> measured;  // none: simulated

  [[nodiscard]] double copies_of(RankId rank) const { return copies.empty() ? 1.0 : copies[rank.index()]; }
  /// Devices that take part in a planned step.
  [[nodiscard]] double devices_used() const {
    return copies.empty() ? static_cast<double>(placement.size()) : std::accumulate(copies.begin(), copies.end(), 0.0);
  }
};

/// Progress of a long stage: its name ("learning fedavg"), the share done, a short word on where it stands ("round 12,
/// accuracy 0.83").
using Progress = std::function<void(const std::string& stage, double share, const std::string& detail)>;

struct SimulateOptions {
  EngineKind engine = EngineKind::flow;
  Progress progress;
  std::optional<std::size_t> only{};  // of simulate(): this strategy alone; nothing: all
};

/// The plan of a centralised strategy, by the planner of its kind.
Plan make_plan(const Job& job);

/// What simulate_way() would say of a centralised strategy before anything runs: infeasible ways come back with the
/// same error. Nothing is recorded; ways whose steps a coordinator decides come back as ok.
Way check_way(const Scenario& scenario, std::size_t strategy, const Catalogue& catalogue);

/// Simulates one strategy in this process (one SimGrid engine per process). Infeasible ways come back as such; other
/// errors throw.
Way simulate_way(const Scenario& scenario, std::size_t strategy, const Catalogue& catalogue,
                 const SimulateOptions& options);

/// Simulates one strategy in a spawned process; `overrides` as in TomlDocument::read, a seed's among them.
Way simulate_in_child(const Scenario& scenario, std::size_t index, const std::vector<std::string>& overrides,
                      const SimulateOptions& options);

/// Simulates every strategy (or the only one asked for) for every seed (by strategy, then seed), each in a spawned
/// process of this binary (`orrery simulate-way`, not listed in the help), and the centralised learning that they share
/// once per seed. A child that dies becomes a Way with status failed whose error names scenario, strategy and signal.
std::vector<Way> simulate(const Scenario& scenario, const std::vector<std::string>& overrides,
                          const SimulateOptions& options);

/// To and from bytes, for the file between processes of one binary. way_from_bytes throws when some are missing.
std::string to_bytes(const Way& way);
Way way_from_bytes(const std::string& bytes);

}  // namespace orrery
