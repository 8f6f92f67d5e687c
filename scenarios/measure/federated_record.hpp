// What happened in a federation that was really trained, in the words of the simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "scenarios/measure/measure.hpp"

namespace orrery {

/// A round as the server saw it, on the round's clock.
struct MeasuredRound {
  Seconds end, aggregation;
  std::size_t last_client = 0;  // whose update came last
  double train_loss = 0;
};

/// Kept by the server.
class FederatedRecord {
 public:
  /// All three must outlive it.
  FederatedRecord(const Scenario& scenario, const StrategySpec& strategy, const FederatedTraining& training);

  /// all: the trips of each rank, as to_raw() writes them, on the round's clock. round: from 0.
  void add_round(std::int64_t round, const MeasuredRound& measured, const std::vector<std::string>& all);
  /// After so many rounds. Returns whether the workload's target is reached.
  bool add_evaluation(std::int64_t rounds, const Evaluation& evaluation, double train_loss);
  /// The way as it was; ends the record.
  [[nodiscard]] MeasuredWay finish(const DataSet& data);

 private:
  [[nodiscard]] double samples_trained(std::size_t client, std::int64_t round) const;

  const Scenario& scenario_;
  const StrategySpec& strategy_;
  const FederatedTraining& training_;
  Seconds clock_;
  Bytes bytes_;
  double samples_ = 0;
  MeasuredWay measured_;
};

}  // namespace orrery
