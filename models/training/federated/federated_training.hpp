// Everything that happens to weights in a federation, without any clock: local training, the algorithm's terms,
// clipping, noise, compression with error feedback, the server's step. Many jobs are trained in parallel, in a fixed
// order of reduction: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/training/federated/algorithm.hpp"
#include "models/training/federated/compression.hpp"
#include "models/training/federated/privacy.hpp"
#include "models/training/training.hpp"

namespace orrery {

using Weights = std::shared_ptr<const std::vector<float>>;

/// One client's local training, from the weights that it received.
struct LocalJob {
  std::size_t client = 0;
  std::int64_t round =
      0;  // of the schedule of learning rates, and of the draws: local order, dropout, compression, noise
  Weights received;
  int epochs = 1;
  std::int64_t steps = 0;  // > 0: so many steps instead of whole epochs
};

struct FederatedTrainingOptions {
  LocalOptions local;             // optimizer with a constant rate
  LearningRateSchedule schedule;  // over rounds
  AlgorithmOptions algorithm;
  CompressionOptions compression;  // of uploads
  PrivacyOptions privacy;
  std::optional<SecureAggregationOptions> secure;  // nothing: updates are sent in the clear
  std::vector<std::string>
      personal_layers;               // patterns: layers that stay on the client (FedPer), neither sent nor averaged
  std::size_t expected_clients = 1;  // per server step: the noise of central privacy, the ring of secure sums
  std::uint64_t seed = 1;
};

class FederatedTraining {
 public:
  /// `train` and `graph` must outlive it; parts: training samples of each client.
  FederatedTraining(const LayerGraph& graph, const Samples& train, std::vector<std::vector<std::size_t>> parts,
                    const FederatedTrainingOptions& options);
  ~FederatedTraining();

  [[nodiscard]] const std::vector<std::vector<std::size_t>>& parts() const;
  [[nodiscard]] const std::shared_ptr<const ExecutionPlan>& plan() const;

  /// Trains these jobs in parallel; updates in their order, as they arrive at the server (compressed, noised, rounded).
  /// A client stands at most once among them. Its state (control variate, residual of compression, personal layers)
  /// changes with accept(), not here: an update that never arrives changes nothing.
  [[nodiscard]] std::vector<ClientUpdate> train(std::span<const LocalJob> jobs) const;

  /// The server's step by these updates, in this order; clients keep the state that goes with them. Central noise is
  /// drawn from (seed, "noise", step).
  void accept(std::vector<float>& weights, std::span<const ClientUpdate> updates);

  /// Of the clients' personal models where layers are personal: each client's test accuracy weighted by the label mix
  /// of its training data; else of the one model.
  [[nodiscard]] Evaluation evaluate(std::span<const float> weights, const Samples& test) const;

  /// Numbers that cross the wire, and their bytes: what the simulation moves.
  [[nodiscard]] Bytes download_bytes() const;
  [[nodiscard]] Bytes upload_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Bytes of one model down and one update up without any data set: what timing alone needs. The same functions as
/// above.
struct UpdateBytes {
  Bytes down, up;
};
UpdateBytes update_bytes(const LayerGraph& graph, const FederatedTrainingOptions& options);

}  // namespace orrery
