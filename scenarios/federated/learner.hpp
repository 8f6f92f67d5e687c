// The seam between the simulated clock and real learning: the coordinator decides who trains when, a Learner computes
// the weights.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/training/training.hpp"
#include "scenarios/federated/clients.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

class Learner {
 public:
  virtual ~Learner() = default;

  /// Training samples of each client.
  [[nodiscard]] virtual const std::vector<std::int64_t>& samples() const = 0;
  /// Trains `clients` from the global weights and replaces these by the average over the clients, weighted by their
  /// samples. Returns the mean training loss; 0 when nothing is learned.
  virtual double train_round(std::int64_t round, std::span<const std::size_t> clients) = 0;
  /// Whether evaluate() means something.
  [[nodiscard]] virtual bool learns() const = 0;
  /// The global weights on the test set.
  virtual Evaluation evaluate() = 0;
  /// Writes the global weights to a weights file; nothing where there are none.
  virtual void save(const std::string& file) const = 0;
};

/// Real learning: FedAvg on the scenario's data set, split over the clients as the scenario asks.
std::unique_ptr<Learner> make_fedavg_learner(const Scenario& scenario, const StrategySpec& strategy);

/// Trains these clients from these weights in this round; their results in their order.
using TrainClients = std::function<std::vector<LocalResult>(std::span<const float> weights, std::int64_t round,
                                                            std::span<const std::size_t> clients)>;

/// The same with the clients trained by `train`: in other processes, say.
std::unique_ptr<Learner> make_fedavg_learner(const Scenario& scenario, std::shared_ptr<const FederatedClients> clients,
                                             TrainClients train);

/// No learning: the clients hold equal parts of the data set and the clock alone is simulated.
std::unique_ptr<Learner> make_counting_learner(const Scenario& scenario);

}  // namespace orrery
