// What a turn of split learning consists of.
#pragma once

#include <cstddef>

#include "scenarios/federated/client_work.hpp"

namespace orrery {

/// The first layer on the server: the one behind cut_layer, or where the fewest bytes cross (activations up and
/// gradients down; of several the first) between the first layer with weights and the last one. Throws Infeasible when
/// one side would have nothing to train.
std::size_t first_server_layer(const LayerGraph& graph, const std::string& cut_layer);

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
  [[nodiscard]] Seconds pass(Pass pass, Span layers, double samples, const Device& device) const;
  [[nodiscard]] Seconds server_batch(double samples) const;
  [[nodiscard]] std::vector<Leg> batch(std::size_t client, double samples) const;

  const FederatedJob& job_;
  const ClientWork& work_;
  std::size_t cut_;
  Bytes width_;                               // of one number that crosses
  double up_numbers_ = 0, down_numbers_ = 0;  // per sample
  Bytes client_layers_;
  std::vector<bool> backward_;
};

}  // namespace orrery
