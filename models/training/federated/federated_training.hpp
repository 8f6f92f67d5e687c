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
#include "models/training/federated/secure_aggregation.hpp"
#include "models/training/training.hpp"

namespace orrery {

/// One client's local training, from the weights that it received.
struct LocalJob {
  std::size_t client = 0;
  std::int64_t round = 0;    // of the schedule of learning rates, and of the draws: local order, dropout, compression,
  std::int64_t attempt = 0;  // noise; these differ between a client's attempts in the same round
  Weights received{};
  int epochs = 1;          // fedsgd: always one
  std::int64_t steps = 0;  // > 0: so many steps instead of whole epochs; async_sgd: always one
};

struct FederatedTrainingOptions {
  LocalOptions local{};             // optimizer with a constant rate; fedsgd: always the whole local set in one batch
  LearningRateSchedule schedule{};  // over rounds
  AlgorithmOptions algorithm{};
  CompressionOptions compression{};  // of uploads
  PrivacyOptions privacy{};
  std::optional<SecureAggregationOptions> secure{};  // nothing: updates are sent in the clear
  std::vector<std::string>
      personal_layers{};             // patterns: layers that stay on the client (FedPer), neither sent nor averaged
  std::size_t expected_clients = 1;  // per server step: the noise of central privacy, the ring of secure sums
  std::size_t asked_clients = 0;     // per server step, over-selection included: among whom a secure sum makes its
                                     // keys and shares; fewer than expected_clients: these
  std::uint64_t seed = 1;
};
/// n of the secure sum's keys and shares.
std::size_t sharing_clients(const FederatedTrainingOptions& options);

/// One call at a time: scratch space is kept from call to call.
class FederatedTraining {
 public:
  /// `train` and `graph` must outlive it; parts: training samples of each client. Throws InvalidInput for options that
  /// exclude each other (require_compatible()).
  FederatedTraining(const LayerGraph& graph, const Samples& train, std::vector<std::vector<std::size_t>> parts,
                    const FederatedTrainingOptions& options);
  ~FederatedTraining();

  [[nodiscard]] const std::vector<std::vector<std::size_t>>& parts() const;
  [[nodiscard]] const std::shared_ptr<const ExecutionPlan>& plan() const;

  /// Trains these jobs in parallel; updates in their order, as they arrive at the server (compressed, noised, rounded).
  /// A client stands at most once among them. Its state (control variate, residual of compression, personal layers)
  /// changes with accept(), not here: an update that never arrives changes nothing.
  [[nodiscard]] std::vector<ClientUpdate> train(std::span<const LocalJob> jobs) const;

  /// Mean loss of these weights on each of these clients' training samples, without training.
  [[nodiscard]] std::vector<double> losses(std::span<const std::size_t> clients, std::span<const float> weights) const;

  /// The server's step by these updates, in this order; clients keep the state that goes with them. Central privacy:
  /// every client weighs the same, the sum is divided by expected_clients however many report, and noise of deviation
  /// noise_multiplier x clip is added to it, drawn from (seed, "noise", step). At least one update; scaled and noised
  /// in place: move them in.
  void accept(std::vector<float>& weights, std::vector<ClientUpdate> updates);

  /// Of the one model; where layers are personal, the mean over the clients that have personal layers by now (while
  /// none has: the one model), each client's accuracy and loss being those of the test samples' classes (of a sequence:
  /// its first label), weighted by the label mix of its training data.
  [[nodiscard]] Evaluation evaluate(std::span<const float> weights, const Samples& test) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Bytes of one model down and one update up without any data set: what timing alone needs. The same functions as
/// above. Uncompressed numbers take 4 bytes, 2 where they are stored as bf16; control variates always 4. Frozen layers
/// go down with the model (a client that was never asked before has none of it) and never up. With secure aggregation
/// both directions hold all that one client sends and gets in a round of sharing_clients() of whom none drops out (see
/// secure_aggregation_cost()): nothing is to be added.
struct UpdateBytes {
  Bytes down, up;
  std::size_t numbers = 0;        // of one update
  std::size_t model_numbers = 0;  // of one model: frozen layers too
};
UpdateBytes update_bytes(const LayerGraph& graph, const FederatedTrainingOptions& options);

/// Operations of making one update ready to send on the client, and of decoding it on the server: compression's.
struct UpdateFlops {
  Flops client, server;
  /// Forward passes over the client's whole local set before it trains: qfedavg's loss of the received weights.
  int forward_epochs = 0;
};
UpdateFlops update_flops(const LayerGraph& graph, const FederatedTrainingOptions& options);

/// Throws InvalidInput with every combination of options that has no meaning: for example noise beside control variates
/// that would be sent without, or masked sums of sparse updates.
void require_compatible(const LayerGraph& graph, const FederatedTrainingOptions& options);

}  // namespace orrery
