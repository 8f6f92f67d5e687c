// The clients of a federation with their data: what their local training makes of the global weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/training/training.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// Immutable, and the same wherever it is made: all draws come from the scenario's seed. Refers to the scenario.
class FederatedClients {
 public:
  /// Reads the workload's data set and splits it over the clients. Throws InvalidInput.
  FederatedClients(const Scenario& scenario, const StrategySpec& strategy);

  [[nodiscard]] const DataSet& data() const { return data_; }
  /// Training samples of each client.
  [[nodiscard]] const std::vector<std::int64_t>& samples() const { return samples_; }
  [[nodiscard]] Storage storage() const { return local_.storage; }

  /// The results of these clients' training in round `round`, in their order, as they arrive at the server: rounded
  /// where they are sent as bf16.
  [[nodiscard]] std::vector<LocalResult> train(std::span<const float> weights, std::int64_t round,
                                               std::span<const std::size_t> clients) const;

 private:
  /// The weights as they arrive.
  [[nodiscard]] std::vector<float> sent(std::vector<float> weights) const;

  const LayerGraph& graph_;
  DataSet data_;
  std::uint64_t seed_;
  LocalOptions local_;
  LearningRateSchedule schedule_;  // of rounds
  std::vector<std::vector<std::size_t>> parts_;
  std::vector<std::int64_t> samples_;
};

}  // namespace orrery
