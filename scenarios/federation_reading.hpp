// What the readers of [federation] and of federated strategies share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/reading.hpp"

namespace orrery {

/// The keys partition, alpha, shards_per_client, sigma; what is absent stays as in `fallback`, which was read from the
/// table `owner` (empty: from none).
PartitionOptions read_partition(TomlTable& table, const PartitionOptions& fallback, const WorkloadSpec& workload,
                                std::int64_t clients, std::string_view owner = {});

/// A group with what resolved.toml needs of it.
struct GroupOfClients {
  ClientGroup group;
  std::string capacity_trace;  // path of the file; empty: none
};
/// [federation] itself, or one of its groups; `count_key`: "clients" or "count".
GroupOfClients read_client_group(TomlTable& table, std::string_view count_key, const Reading& reading);

struct ClientKey {
  std::string_view key;
  ValueType type;
};
/// Every key of a group but its count.
const std::vector<ClientKey>& client_keys();

/// Rows of the catalogue that a key must name; nothing after the problem.
const Device* required_device(TomlTable& table, std::string_view key, const Reading& reading);
const Link* required_link(TomlTable& table, std::string_view key, const Reading& reading);

/// The letters of the FedAvg paper (K, C, E, B, eta), which people try as keys: a problem that names the long key.
void refuse_letters(TomlTable& table);

// Parts of a co-simulated strategy, one file each.

/// What they are read against. `spec.kind` is federated or async.
struct FederatedReading {
  TomlTable& table;
  StrategySpec& spec;
  const WorkloadSpec& workload;
  const FederationSpec& federation;
  const Reading& reading;

  [[nodiscard]] const FederatedAlgorithmEntry& algorithm() const { return entry_of(spec.federated.algorithm.kind); }
  [[nodiscard]] bool works(Coordination coordination) const { return algorithm().coordination == coordination; }
  /// Clients to choose from: of the federation, or the devices of the cluster; 0: unknown after a problem.
  [[nodiscard]] int clients() const;
};
/// algorithm and its own options; edges, neighbours, cut.
void read_algorithm(const FederatedReading& reading);
/// clients_per_round to offline: who takes part.
void read_participation(const FederatedReading& reading);
/// compression, privacy, secure_aggregation, personal_layers: what becomes of an update on its way.
void read_updates(const FederatedReading& reading);
/// Path for the last weights of a strategy that learns by itself; empty: not saved.
std::string read_save_weights(TomlTable& table, const WorkloadSpec& workload, const Reading& reading);
/// The whole strategy.
void read_cosimulated(const FederatedReading& reading);

}  // namespace orrery
