// What the readers of a scenario's tables share. Each read_*.cpp reads one kind of table; read_scenario.cpp joins them
// and checks what concerns several tables.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {

struct Reading {
  const Catalogue& catalogue;
  Problems& problems;
  std::string folder;                // of the scenario file: where its paths start; empty: the working directory
  std::vector<std::string>& inputs;  // files that its keys name
};

template <class Enum>
struct Named {
  std::string name;
  Enum value;
};
template <class Enum>
using Names = std::vector<Named<Enum>>;

/// Each value by its name_of().
template <class Enum, std::size_t count>
Names<Enum> by_name(const std::array<Enum, count>& values) {
  Names<Enum> names;
  for (const Enum value : values) names.push_back({std::string(name_of(value)), value});
  return names;
}

template <class Enum>
std::vector<std::string> texts_of(const Names<Enum>& names) {
  std::vector<std::string> texts;
  for (const auto& named : names) texts.push_back(named.name);
  return texts;
}

template <class Enum>
const std::string& text_of(const Names<Enum>& names, Enum value) {
  for (const auto& named : names) {
    if (named.value == value) return named.name;
  }
  return names.front().name;
}

template <class Enum>
Enum value_of(const Names<Enum>& names, const std::string& text, Enum fallback) {
  for (const auto& named : names) {
    if (named.name == text) return named.value;
  }
  return fallback;
}

/// One of the names of an enumeration; the fallback when absent, and after the problem when unknown.
template <class Enum>
Enum choose(TomlTable& table, std::string_view key, const Names<Enum>& names, Enum fallback,
            std::string_view origin = default_origin) {
  return value_of(names, table.choice(key, texts_of(names), text_of(names, fallback), origin), fallback);
}

/// The origin of a fallback that the table `owner` says under the same key: "workload.precision"; empty: of a default.
std::string origin_in(std::string_view owner, std::string_view key);
/// The same of what a system of the catalogue says.
std::string origin_in_system(const std::string& system);

/// The row of the catalogue that a key names; nothing after the problem when there is none. `what`: "device".
template <class Row>
const Row* row_named(TomlTable& table, std::string_view key, const std::string& id, const std::vector<Row>& rows,
                     std::string_view what) {
  for (const Row& row : rows) {
    if (row.id == id) return &row;
  }
  const std::vector<std::string> ids = ids_of(rows);
  table.problem(key, fmt::format("unknown {} \"{}\"", what, id), {},
                did_you_mean(id, ids, fmt::format("orrery list {}s", what)));
  return nullptr;
}

enum class ValueType : std::uint8_t { text, number, boolean, table, texts, numbers };

/// Records that a key stands where its value would have no effect: `owner` is what it belongs to, `why` what is there
/// instead. Nothing when the key is absent. `type` is what the key holds where it belongs.
void refuse(TomlTable& table, std::string_view key, ValueType type, const std::string& owner, const std::string& why);

/// Whether `here`, the entry chosen of a table (algorithms, compressions, partitions), reads this option; when not, one
/// that is given is a problem, which names the `entries` that do. `what`: the key that chooses.
template <class Entry>
bool reads_option(TomlTable& table, const std::vector<Entry>& entries, const Entry& here, const std::string& what,
                  const std::string& key, ValueType type) {
  const auto has = [&key](const Entry& entry) {
    return std::find(entry.options.begin(), entry.options.end(), key) != entry.options.end();
  };
  if (has(here)) return true;
  std::vector<std::string> owners;
  for (const Entry& entry : entries) {
    if (has(entry)) owners.push_back(entry.name);
  }
  refuse(table, key, type, what + " = " + join(owners, " | "), "the " + what + " here is " + here.name);
  return false;
}

/// Whether a text can be a name; one that is empty, or has control characters, which would change the table or the
/// terminal that it is printed in, is a problem.
bool check_name(TomlTable& table, std::string_view key, const std::string& name);

/// A path given under a key: as it is when absolute or from the command line, else below the scenario's folder.
std::string path_in(const Reading& reading, const TomlTable& table, std::string_view key, const std::string& path);
/// The same of a file that is read, noted among the inputs.
std::string input_in(const Reading& reading, const TomlTable& table, std::string_view key, const std::string& path);

/// Whether there is such a file, which the key names; else records a problem.
bool has_file(TomlTable& table, std::string_view key, const std::string& path);

const Names<Precision>& precision_names();

// One file each.
WorkloadSpec read_workload(TomlTable table, const Reading& reading);
/// The keys of [workload] that say what is learned for real; its network and data set are read.
void read_learning(TomlTable& table, const Reading& reading, WorkloadSpec& workload);
/// Whether a layer is called so, with * for any text; else it is a problem of `key`.
bool names_layers(TomlTable& table, const LayerGraph& network, std::string_view key, const std::string& pattern);
FederationSpec read_federation(TomlTable table, const WorkloadSpec& workload, const Reading& reading);
EnergySpec read_energy(TomlTable table, const Reading& reading);
CostSpec read_cost(TomlTable table);
SearchSpec read_search(TomlTable table, const std::vector<StrategySpec>& strategies, const LayerGraph& network,
                       const Reading& reading);
std::vector<AssertSpec> read_asserts(std::vector<TomlTable> tables, const std::vector<StrategySpec>& strategies,
                                     const MetricNames& metrics);

/// The optimizer keys of [workload] or of a federated strategy; what is absent stays as in `fallback`, except that the
/// learning rate and the weight decay follow a change of the optimizer. `owner`: the table that the fallback was read
/// from; empty: none.
OptimizerOptions read_optimizer(TomlTable& table, const OptimizerOptions& fallback, std::string_view owner = {});
/// Records a warm-up that fills the whole training: `length` in `unit`; 0: unknown.
void check_warm_up(TomlTable& table, const LearningRateSchedule& schedule, std::int64_t length, std::string_view unit);
/// The key recompute; a network of one segment has nothing to recompute.
Recompute read_recompute(TomlTable& table, Recompute fallback, const LayerGraph& network, std::string_view owner = {});

/// What a table says of equal nodes.
struct NodeKeys {
  std::optional<std::string> system, device, node_link, network_link;
  std::optional<std::int64_t> nodes, devices_per_node, nics;
};
/// Nodes with names looked up. `system`: what theirs says of the whole cluster; nothing: made of a device.
struct ResolvedNodes {
  NodeGroup nodes;
  NodeOrigin origin;
  std::optional<ClusterDescription> system{};
};
NodeKeys read_node_keys(TomlTable& table, const Reading& reading);
/// `over` above `base`: naming a system drops the device, links and node layout of the base; naming a device drops its
/// system and the node layout of that; using fewer devices of its nodes drops their number of NICs.
NodeKeys merged(const NodeKeys& base, const NodeKeys& over);
/// Looks names up, fills defaults in; nothing after a problem with the device. Problems are recorded at keys that
/// `table` has itself.
std::optional<ResolvedNodes> resolve_nodes(const NodeKeys& keys, TomlTable& table, const Reading& reading);
/// Records nodes that nothing joins: `all_nodes` are on one network.
void check_links(const NodeGroup& nodes, const NodeKeys& keys, int all_nodes, TomlTable& table);
/// Reads the defaulted keys of nodes once more, so that they are recorded as resolved values.
void record_node_defaults(TomlTable& table, const ResolvedNodes& nodes);

/// What a cluster table says itself; merged over another one before defaults are filled in.
struct ClusterKeys : NodeKeys {
  std::optional<std::string> fabric;
  std::optional<std::int64_t> nodes_per_leaf, torus_axes;
  std::optional<double> oversubscription;
  bool has_groups = false;
  std::vector<ResolvedNodes> groups;  // [[cluster.group]], those without a problem
};
ClusterKeys read_cluster_keys(TomlTable& table, const Reading& reading);
/// `over` above `base`. Groups of nodes drop what the base says of its nodes, and naming a system or device drops the
/// groups of the base.
ClusterKeys merged(const ClusterKeys& base, const ClusterKeys& over);
/// Looks names up, fills defaults in and checks; problems are recorded at keys that `table` has itself.
ClusterSpec resolve_cluster(const ClusterKeys& keys, TomlTable& table, const Reading& reading);
/// Reads the defaulted keys of the table once more, so that they are recorded as resolved values.
void record_cluster_defaults(TomlTable& table, const ClusterSpec& cluster);

/// What a strategy is read against.
struct StrategyContext {
  const WorkloadSpec& workload;
  const FederationSpec& federation;
  const ClusterKeys& cluster_keys;
  const ClusterSpec& cluster;  // [cluster]
};
StrategySpec read_strategy(TomlTable table, const StrategyContext& context, const Reading& reading);

}  // namespace orrery
