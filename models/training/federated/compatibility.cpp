// Which options exclude each other, and why.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "models/training/federated/federated_training.hpp"
#include "models/training/federated/upload.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

class Complaints {
 public:
  void add(std::string key, std::string what, std::string why, std::string suggestion) {
    problems_.add({.at = {},
                   .key = std::move(key),
                   .what = std::move(what),
                   .why = std::move(why),
                   .suggestion = std::move(suggestion),
                   .source_line = {}});
  }
  void throw_if_any() const { problems_.throw_if_any(); }

 private:
  Problems problems_;
};

bool is_one_of(AlgorithmKind kind, std::initializer_list<AlgorithmKind> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool has_statistics(const LayerGraph& graph) {
  return std::any_of(graph.layers.begin(), graph.layers.end(),
                     [](const Layer& layer) { return layer.kind == LayerKind::batch_norm; });
}

void check_privacy(const LayerGraph& graph, const FederatedTrainingOptions& options, Complaints& complaints) {
  using enum AlgorithmKind;
  if (options.privacy.kind == PrivacyKind::none) return;
  const AlgorithmKind kind = options.algorithm.kind;
  const std::string& name = entry_of(kind).name;
  if (is_one_of(kind, {scaffold, qfedavg})) {
    complaints.add(
        "privacy", fmt::format("{} cannot be private", name),
        kind == scaffold ? "control variates are sent without noise" : "clients' losses are sent without noise",
        "take fedavg, fedprox, fedavgm or fedadam");
  } else if (options.privacy.kind == PrivacyKind::central &&
             !is_one_of(kind, {fedsgd, fedavg, fedprox, fedavgm, fedadagrad, fedadam, fedyogi, fedbuff})) {
    complaints.add("privacy", fmt::format("{} has no central noise", name),
                   "it goes onto a sum of clients' updates of equal weight at one server",
                   "take local noise, or fedavg, fedprox, fedavgm, fedadam or fedbuff");
  }
  if (has_statistics(graph)) {
    complaints.add("privacy", fmt::format("{} has batch normalisation", graph.name),
                   "its running statistics would be sent without noise", "take a network without it");
  }
}

void check_compression(const FederatedTrainingOptions& options, Complaints& complaints) {
  const FederatedAlgorithmEntry& entry = entry_of(options.algorithm.kind);
  if (options.compression.kind == CompressionKind::none || entry.coordination != Coordination::gossip) return;
  complaints.add("compression", fmt::format("{} mixes whole models", entry.name),
                 "neighbours would mix what was never sent: compressed gossip (CHOCO-SGD) is an algorithm of its own",
                 "take compression = \"none\"");
}

void check_ring(const LayerGraph& graph, const FederatedTrainingOptions& options, Complaints& complaints) {
  const double intervals = ring_intervals(*options.secure, options.expected_clients);
  if (intervals < 1) {
    complaints.add("secure_aggregation",
                   fmt::format("a ring of {} bits cannot hold the sum of {} clients", options.secure->bits,
                               options.expected_clients),
                   "every client needs a value on either side of 0", "raise ring_bits or take fewer clients per round");
  } else if (intervals < least_ring_intervals) {
    complaints.add(
        "secure_aggregation",
        fmt::format("a ring of {} bits leaves steps of {:.3g} to the sum of {} clients", options.secure->bits,
                    options.secure->range / intervals, options.expected_clients),
        fmt::format("little of an update is left with fewer than {} values on either side of 0", least_ring_intervals),
        "raise ring_bits or take fewer clients per round");
  } else if (options.privacy.kind == PrivacyKind::central && clip_before_rounding(graph, options) <= 0) {
    complaints.add(
        "secure_aggregation",
        fmt::format("rounding to the ring could make an update longer than the clip of {:g}", options.privacy.clip),
        "half a step in each of its numbers is as long as that already", "raise ring_bits or lower ring_range");
  }
}

void check_secure_sum(const LayerGraph& graph, const FederatedTrainingOptions& options, Complaints& complaints) {
  if (!options.secure) return;
  const FederatedAlgorithmEntry& entry = entry_of(options.algorithm.kind);
  if (entry.coordination != Coordination::rounds) {
    complaints.add("secure_aggregation", fmt::format("{} has no rounds", entry.name),
                   "masks cancel in the sum of a round's clients alone", "take an algorithm with rounds");
  }
  if (entry.extra_models > 0) {
    complaints.add("secure_aggregation", fmt::format("{} sends more than updates", entry.name),
                   "the cost of masking its control variates is not modelled", "take fedavg, fedprox or fednova");
  }
  check_ring(graph, options, complaints);
  if (options.compression.kind != CompressionKind::none) {
    complaints.add("secure_aggregation", "compressed updates cannot be masked",
                   "masks are dense numbers of the ring, which ring_bits makes smaller",
                   "take compression = \"none\" and fewer ring_bits");
  }
}

void check_fednova(const FederatedTrainingOptions& options, Complaints& complaints) {
  using enum OptimizerKind;
  const OptimizerKind local = options.local.optimizer.kind;
  if (options.algorithm.kind != AlgorithmKind::fednova || local == sgd || local == momentum) return;
  complaints.add("optimizer", fmt::format("fednova does not know how {} accumulates gradients", name_of(local)),
                 "its normalisation is for sgd and momentum", "take one of these");
}

}  // namespace

void require_compatible(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  Complaints complaints;
  check_privacy(graph, options, complaints);
  check_compression(options, complaints);
  check_secure_sum(graph, options, complaints);
  check_fednova(options, complaints);
  complaints.throw_if_any();
}

}  // namespace orrery
