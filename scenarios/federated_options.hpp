// The options of a co-simulated strategy: which algorithm, who takes part, what is sent.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "models/training/partition.hpp"
#include "topologies/population.hpp"

namespace orrery {

enum class Selection : std::uint8_t { random, round_robin, fastest, power_of_choice, utility, energy_aware };
/// What a client does that goes offline in the middle of a transfer. Local training goes on offline in every case but
/// give_up.
enum class OfflinePolicy : std::uint8_t { resume, restart, give_up };
enum class EvaluationTime : std::uint8_t { free, charged };  // whether evaluating takes simulated time on the server
enum class GossipTopology : std::uint8_t { ring, torus, random };

struct ParticipationOptions {
  Selection selection = Selection::random;
  /// Updates that a round needs; asynchronous: clients at work at the same time (concurrency).
  int clients_per_round = 1;
  double over_selection = 1.0;  // rounds: so many times more clients are asked; the first clients_per_round are kept
  Seconds deadline;             // rounds: what has not reported by then is late; zero: none
  int min_reports = 1;          // rounds: fewer reports at the deadline leave the weights as they are
  int candidates = 0;           // power_of_choice: clients asked for their loss; 0: twice clients_per_round
  OfflinePolicy offline = OfflinePolicy::resume;
};

/// How many clients are asked for `wanted` updates: over_selection x wanted, rounded up. 1.3 x 10 is 13, whatever its
/// binary fractions say.
inline std::size_t asked_clients(const ParticipationOptions& options, std::size_t wanted) {
  return static_cast<std::size_t>(std::ceil(options.over_selection * static_cast<double>(wanted) * (1.0 - 1e-12)));
}
/// Of a round of the strategy.
inline std::size_t asked_clients(const ParticipationOptions& options) {
  return asked_clients(options, static_cast<std::size_t>(options.clients_per_round));
}

struct FederatedOptions {
  AlgorithmOptions algorithm;
  CompressionOptions compression;
  PrivacyOptions privacy;
  std::optional<SecureAggregationOptions> secure;
  std::vector<std::string> personal_layers;
  PartitionOptions partition;  // of the training samples; default: the federation's. async: equal parts
  ParticipationOptions participation;
  int local_epochs = 1;
  int most_local_epochs = 1;      // > local_epochs: every client draws its epochs uniformly between, every round
  std::int64_t local_batch = 10;  // 0: the whole local set
  std::int64_t local_steps = 0;   // > 0: instead of epochs
  int rounds = 1;                 // server steps
  int evaluate_every = 1;         // server steps
  EvaluationTime evaluation_time = EvaluationTime::free;
  // hierarchical
  int edges = 2;
  int edge_rounds = 1;  // averages at the edges per average in the cloud
  Device edge_device;
  Link edge_link;  // between edge and server; clients reach their edge over their own link
  // gossip
  GossipTopology topology = GossipTopology::ring;
  int degree = 2;  // random
  // split
  std::string cut_layer;  // the last layer on the client; empty: where the fewest bytes cross
};

}  // namespace orrery
