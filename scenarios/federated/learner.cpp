#include "scenarios/federated/learner.hpp"

#include <utility>

#include "models/training/weights_file.hpp"
#include "scenarios/central_learning.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedAvgLearner final : public Learner {
 public:
  FedAvgLearner(const Scenario& scenario, std::shared_ptr<const FederatedClients> clients, TrainClients train)
      : clients_(std::move(clients)),
        train_(std::move(train)),
        plan_(std::make_shared<const ExecutionPlan>(scenario.workload.network)),
        weights_(first_weights(scenario.workload, scenario.seed)) {}

  [[nodiscard]] const std::vector<std::int64_t>& samples() const override { return clients_->samples(); }

  double train_round(std::int64_t round, std::span<const std::size_t> clients) override {
    const std::vector<LocalResult> results = train_(weights_, round, clients);
    weights_ = weighted_average(results);
    double loss = 0, samples = 0;
    for (const LocalResult& result : results) {
      loss += result.train_loss * static_cast<double>(result.samples);
      samples += static_cast<double>(result.samples);
    }
    return samples > 0 ? loss / samples : 0.0;
  }

  [[nodiscard]] bool learns() const override { return true; }
  Evaluation evaluate() override {
    return orrery::evaluate(plan_, weights_, clients_->data().test, clients_->storage());
  }
  void save(const std::string& file) const override { write_weights(file, *plan_, weights_); }

 private:
  std::shared_ptr<const FederatedClients> clients_;
  TrainClients train_;
  std::shared_ptr<const ExecutionPlan> plan_;
  std::vector<float> weights_;
};

class CountingLearner final : public Learner {
 public:
  explicit CountingLearner(const Scenario& scenario) {
    const std::int64_t clients = scenario.federation.clients();
    const std::int64_t total = scenario.workload.dataset_samples;
    for (std::int64_t c = 0; c < clients; ++c) {
      samples_.push_back(total * (c + 1) / clients - total * c / clients);
    }
  }
  [[nodiscard]] const std::vector<std::int64_t>& samples() const override { return samples_; }
  double train_round(std::int64_t /*round*/, std::span<const std::size_t> /*clients*/) override { return 0.0; }
  [[nodiscard]] bool learns() const override { return false; }
  Evaluation evaluate() override { return {}; }
  void save(const std::string& /*file*/) const override {}

 private:
  std::vector<std::int64_t> samples_;
};

}  // namespace

std::unique_ptr<Learner> make_fedavg_learner(const Scenario& scenario, const StrategySpec& strategy) {
  ORRERY_EXPECT(!scenario.workload.dataset.empty());
  auto clients = std::make_shared<const FederatedClients>(scenario, strategy);
  const auto train = [clients](std::span<const float> weights, std::int64_t round,
                               std::span<const std::size_t> selected) {
    return clients->train(weights, round, selected);
  };
  return make_fedavg_learner(scenario, clients, train);
}

std::unique_ptr<Learner> make_fedavg_learner(const Scenario& scenario, std::shared_ptr<const FederatedClients> clients,
                                             TrainClients train) {
  return std::make_unique<FedAvgLearner>(scenario, std::move(clients), std::move(train));
}

std::unique_ptr<Learner> make_counting_learner(const Scenario& scenario) {
  return std::make_unique<CountingLearner>(scenario);
}

}  // namespace orrery
