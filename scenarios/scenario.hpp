// A Scenario: what is trained, on what, in which ways. Plain data with every name checked against the tables it names;
// made by read_scenario().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/cost/constants_file.hpp"
#include "models/cost/cost_model.hpp"
#include "models/networks/segments.hpp"
#include "models/training/batch_loader.hpp"
#include "models/training/dataset.hpp"
#include "models/training/optimizer.hpp"
#include "models/training/partition.hpp"
#include "scenarios/federated_options.hpp"
#include "scenarios/hybrid_options.hpp"
#include "scenarios/search_spec.hpp"
#include "sim/base/toml_reader.hpp"
#include "sim/collectives/schedule.hpp"
#include "sim/engine/engine.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/cluster.hpp"

namespace orrery {

/// automatic: replay when a profile is given; without one the roofline where the scenario has federations, whose
/// clients' devices have no laws of their own, so that all its ways are priced alike; else operators.
enum class ComputeChoice : std::uint8_t { automatic, operators, replay, roofline };
std::string_view name_of(ComputeChoice choice);
enum class DataOrigin : std::uint8_t { cluster, clients };

/// Where real learning takes its first weights from and leaves its last.
struct WeightsSpec {
  std::string initial;             // path of a weights file; empty: drawn from the seed
  std::vector<std::string> fresh;  // patterns of layers that do not take their weights from it
  std::string save;                // path; empty: not saved
};

// Fields stand in the order of the keys, not of their sizes: there is one of it.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct WorkloadSpec {
  LayerGraph network;
  std::string network_file;          // where it was read when named by path; empty: one that ships with Orrery
  std::string dataset;               // empty: none (then dataset_samples must be given to speak of epochs)
  std::int64_t dataset_samples = 0;  // training samples; from the data set, or stated
  double stored_bytes_per_sample = 0;
  std::int64_t batch = 64;  // global batch, samples per optimizer step
  int accumulation = 1;     // micro-steps per optimizer step; each handles batch / accumulation samples
  Precision precision = Precision::fp32;
  OptimizerOptions optimizer;
  Recompute recompute = Recompute::none;
  std::vector<std::string> freeze;  // patterns of layer names; the layers are marked in `network`
  WeightsSpec weights;
  std::int64_t steps = 0;  // at most one of steps and epochs is given; steps follow from epochs (0: unknown)
  double epochs = 0;
  double target_accuracy = 0;         // 0: none
  bool learn = false;                 // really train, for accuracy
  std::int64_t evaluate_every = 100;  // steps between evaluations of centralised learning
  Augmentation augmentation;          // of the images that centralised training sees
  Prefetch prefetch = Prefetch::none;
  ComputeChoice compute = ComputeChoice::automatic;
  std::string profile;  // path of a StepProfile CSV, relative to the scenario file; empty: none
  std::string host;     // device the profile was recorded on: catalogue id, or a path of a host CSV
  int profile_threads = 1;
  std::vector<ConstantsFile> constants;  // in the place of those of the catalogue; `framework` has its own already
  FrameworkProfile framework;
  DataOrigin data_origin = DataOrigin::cluster;
};

/// Where a group of nodes comes from, and what one costs.
struct NodeOrigin {
  std::string system;         // catalogue id, or empty when built by hand
  std::string device_file;    // path of the CSV that the device was read from; empty: a catalogue id
  double price_per_hour = 0;  // of one node; 0: unknown
  std::string currency;
};

/// One [cluster] table, or the `cluster` table of a strategy merged over it, with names resolved. The origin is that of
/// the first group of nodes.
struct ClusterSpec : NodeOrigin {
  bool present = false;
  ClusterDescription description;
  std::vector<NodeOrigin> more;  // of description.more
  [[nodiscard]] const NodeOrigin& origin(std::size_t group) const { return group == 0 ? *this : more[group - 1]; }
};

struct FederationSpec {
  bool present = false;
  std::vector<ClientGroup> groups;
  std::vector<std::string> capacity_traces;  // of each group: path of the file it was read from; empty: none
  Device server;
  Link server_link;
  PartitionOptions partition;
  [[nodiscard]] int clients() const;
};

/// async and local_sgd: asynchronous SGD with a parameter server, and local SGD, on the devices of a cluster.
enum class StrategyKind : std::uint8_t { single, data, model, pipeline, hybrid, async, local_sgd, federated };
std::string_view name_of(StrategyKind kind);
enum class Split : std::uint8_t { tensor, layers };

struct StrategySpec {
  std::string name;
  StrategyKind kind = StrategyKind::single;
  int devices = 1;      // single: 1; default: every device of the cluster
  ClusterSpec cluster;  // [cluster] with this strategy's own `cluster` table merged over it
  // data
  Algorithm collective = Algorithm::ring;
  Bytes bucket{25 * mebi};  // gradient bucket; source: PyTorch DistributedDataParallel, bucket_cap_mb = 25 (MiB)
  bool overlap = true;      // gradients are exchanged while backward goes on
  // model
  Split split = Split::tensor;
  // pipeline
  PipelineSchedule schedule = PipelineSchedule::one_f_one_b;
  int microbatches = 1;
  // hybrid
  HybridOptions hybrid;
  // memory and arithmetic, as overrides of [workload]
  Precision precision = Precision::fp32;
  int accumulation = 1;
  Recompute recompute = Recompute::none;
  // federated, async, local_sgd: co-simulated, with a learning curve of their own
  FederatedOptions federated;
  OptimizerOptions optimizer;  // of the clients, its schedule counting server steps; default: the workload's
  std::string save_weights;    // path of the last global weights; empty: not saved
  // engine
  FidelityChoice fidelity = FidelityChoice::automatic;
  int segments = 4;
};

enum class NetworkEnergy : std::uint8_t { power, intensity };

struct EnergySpec {
  double pue = 1.0;
  /// Power while blocked in communication, as a share of the device's maximum (never below idle). Assumed: 0.35 to
  /// 0.50, depending on whether the waiting kernels spin.
  double blocked_fraction = 0.45;
  double gCO2e_per_kWh = 0;  // 0: no emissions reported
  std::string grid;          // catalogue id it came from, if any
  /// Marginal network energy beyond the access links: 0.03 W per Mbit/s (Malmodin 2020).
  double wan_J_per_GB = 240;
  /// What lies between clients and server. power: always-on equipment for as long as a transfer holds it, and
  /// wan_J_per_GB on top (Mytton et al.); intensity: kWh per GB, which divides the whole network's energy by its
  /// traffic. Disputed by three orders of magnitude: never mixed in one table.
  NetworkEnergy network = NetworkEnergy::power;
  Watts gateway{10};           // home gateway (assumed), shared by so many devices:
  double gateway_devices = 5;  // assumed
  Watts access_line{1.5};      // assumed
  double fixed_kWh_per_GB = 0.006,
         mobile_kWh_per_GB = 0.05;  // 2025, extrapolated (Aslan et al. 2018, halved every two years)
};
struct CostSpec {
  double electricity_per_kWh = 0;    // 0: not charged
  double price_per_device_hour = 0;  // overrides the system's price; 0: the system's
  std::string currency;
};
struct AssertSpec {
  std::string metric, strategy;  // strategy empty: every row
  std::optional<double> min, max;
  Position at;
};

struct Scenario {
  std::string file, name, question, source, expected;
  std::uint64_t seed = 1;
  int seeds = 1;  // every way runs with seed, seed + 1, ...: rows are of the first, with mean and spread over all
  std::string reference;  // name of the strategy others are compared with; default: the first
  WorkloadSpec workload;
  FederationSpec federation;
  std::vector<StrategySpec> strategies;
  EnergySpec energy;
  CostSpec cost;
  std::optional<SearchSpec> search;  // nothing: the file has no [search]
  std::vector<AssertSpec> asserts;
  ClusterSpec cluster;  // [cluster]
  EngineKind engine = EngineKind::flow;
  std::uint64_t message_budget = 300000;
  std::vector<ResolvedValue> resolved;  // every value with its origin
  std::vector<std::string> inputs;      // every file that was read, or is to be read when it runs, but what ships
};

/// What [[assert]] may bound (`numbers`), and what has no bounds (`texts`): columns of the results, which are no matter
/// of this floor. Both empty: any name is taken.
struct MetricNames {
  std::vector<std::string> numbers, texts;
};

/// Reads and checks a scenario; throws InvalidInput with all problems. `overrides` as in TomlDocument::read.
/// Paths in the file are relative to its folder, paths given by an override to the working directory.
Scenario read_scenario(const std::string& file, const std::vector<std::string>& overrides, const Catalogue& catalogue,
                       const MetricNames& metrics = {});
/// Same from a text; `name` stands for the file in messages and its folder is where paths start.
Scenario parse_scenario(std::string_view text, const std::string& name, const Catalogue& catalogue,
                        const MetricNames& metrics = {});

/// The scenario as TOML with the origin of every value as a comment: resolved.toml. read_scenario() makes the same
/// scenario of it, wherever it lies: paths are absolute.
std::string resolved_toml(const Scenario& scenario);

/// What prices a strategy's layers: never automatic. Of kind = "hybrid" operators.
ComputeChoice priced_by(const Scenario& scenario, StrategyKind kind);

/// The cost model that a strategy's precision and the workload ask for; reads the stored profile. When it has
/// no rows with the workload's threads, but has some with one, they are derived (derive_threads(); the model's
/// profile_notes() say so). Throws InvalidInput.
CostModel cost_model(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue);

}  // namespace orrery
