// What a turn of split learning consists of.
#pragma once

#include <cstddef>

#include "scenarios/federated/client_work.hpp"

namespace orrery {

/// The first layer on the server: the one behind cut_layer, or where the fewest bytes cross (activations up and
/// gradients down; of several the first) between the first layer with weights and the last one. Throws Infeasible when
/// one side would have nothing to train.
std::size_t first_server_layer(const LayerGraph& graph, const std::string& cut_layer);

/// What crosses the cut: the client's layers once each way in a turn, and activations and gradients of every sample.
struct SplitBytes {
  std::size_t first_server_layer = 0;
  Bytes client_layers, up_per_sample, down_per_sample;
};
/// Of a strategy with algorithm = split. Throws Infeasible as above.
SplitBytes split_bytes(const LayerGraph& graph, const StrategySpec& strategy);

/// The client's layers among the operations of training on a sample, forward and backward: of those that a measured
/// time per sample (sample_ms, a capacity trace) stands for.
struct SplitShares {
  double forward = 0, backward = 0;
};
SplitShares client_shares(const LayerGraph& graph, std::size_t first_server_layer);

class SplitWork {
 public:
  SplitWork(const FederatedJob& job, const ClientWork& work);

  /// Client layers down; for every batch their forward pass, activations up, the server's half, gradients down, their
  /// backward pass and update; client layers up. An epoch's smaller last batches come at the end.
  [[nodiscard]] Itinerary turn(std::size_t client, const LocalBatches& batches) const;
  /// What the server computes in it.
  [[nodiscard]] Seconds server(const LocalBatches& batches) const;

 private:
  struct Span {
    std::size_t first = 0, end = 0;
  };
  /// What one side computes of a batch: the client before the activations go up and after their gradients came down.
  struct Halves {
    Seconds forward, backward;  // backward: and the update
  };
  [[nodiscard]] Halves halves(Span layers, double samples, const Device& device) const;
  [[nodiscard]] Seconds server_batch(double samples) const;
  [[nodiscard]] Halves client_batch(std::size_t client, double samples) const;
  [[nodiscard]] Halves priced_batch(std::size_t client, double samples) const;
  [[nodiscard]] Halves measured_batch(Seconds per_sample, double samples) const;
  [[nodiscard]] std::vector<Leg> batch(std::size_t client, double samples) const;

  const FederatedJob& job_;
  const ClientWork& work_;
  SplitBytes bytes_;
  SplitShares shares_;
};

}  // namespace orrery
