#include "scenarios/federated/learner.hpp"

#include "models/training/weights_file.hpp"
#include "scenarios/central_learning.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedAvgLearner final : public Learner {
 public:
  FedAvgLearner(const Scenario& scenario, const StrategySpec& strategy)
      : graph_(scenario.workload.network),
        data_(load_data_set(scenario.workload.dataset, scenario.seed)),
        seed_(scenario.seed),
        weights_(first_weights(scenario.workload, scenario.seed)) {
    local_.epochs = strategy.local_epochs;
    local_.batch = strategy.local_batch;
    local_.optimizer = strategy.optimizer;
    local_.storage = storage_of(strategy.precision);
    schedule_ = strategy.optimizer.schedule;
    schedule_.total = strategy.rounds;
    local_.optimizer.schedule = {};
    Random random = Random::derived(scenario.seed, "partition");
    parts_ = partition(data_.train, scenario.federation.clients(), scenario.federation.partition,
                       scenario.federation.alpha, random);
    for (const auto& part : parts_) samples_.push_back(static_cast<std::int64_t>(part.size()));
  }

  [[nodiscard]] const std::vector<std::int64_t>& samples() const override { return samples_; }

  double train_round(std::int64_t round, std::span<const std::size_t> clients) override {
    LocalOptions local = local_;
    local.optimizer.learning_rate *= rate_share(schedule_, round);
    auto results = train_clients(graph_, sent(weights_), data_.train, parts_, clients, local, seed_, round);
    for (LocalResult& result : results) result.weights = sent(std::move(result.weights));
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
    return orrery::evaluate(std::make_shared<const ExecutionPlan>(graph_), weights_, data_.test, local_.storage);
  }
  void save(const std::string& file) const override { write_weights(file, ExecutionPlan(graph_), weights_); }

 private:
  /// The weights as they arrive: rounded when they are sent as bf16.
  [[nodiscard]] std::vector<float> sent(std::vector<float> weights) const {
    if (local_.storage == Storage::bf16) round_to_bf16(std::span<float>(weights));
    return weights;
  }

  const LayerGraph& graph_;
  DataSet data_;
  std::uint64_t seed_;
  std::vector<float> weights_;
  LocalOptions local_;
  LearningRateSchedule schedule_;  // of rounds
  std::vector<std::vector<std::size_t>> parts_;
  std::vector<std::int64_t> samples_;
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
  return std::make_unique<FedAvgLearner>(scenario, strategy);
}

std::unique_ptr<Learner> make_counting_learner(const Scenario& scenario) {
  return std::make_unique<CountingLearner>(scenario);
}

}  // namespace orrery
