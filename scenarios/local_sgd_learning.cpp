// Real learning of local SGD: federated averaging in which everybody takes part and the data is dealt evenly.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/training/federated/federated_training.hpp"
#include "models/training/weights_file.hpp"
#include "scenarios/central_learning.hpp"

namespace orrery {
namespace {

/// `length` steps as averages of `steps` steps each.
std::int64_t in_averages(std::int64_t length, std::int64_t steps) {
  return (length + steps - 1) / steps;
}

/// The workload's schedule, which counts steps, counting averages.
LearningRateSchedule schedule_of(const WorkloadSpec& workload, std::int64_t local_steps) {
  LearningRateSchedule schedule = workload.optimizer.schedule;
  schedule.every = in_averages(schedule.every, local_steps);
  schedule.total = in_averages(workload.steps, local_steps);
  schedule.warm_up = std::min(in_averages(schedule.warm_up, local_steps), schedule.total - 1);
  return schedule;
}

FederatedTrainingOptions options_of(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed) {
  FederatedTrainingOptions options;
  options.local.batch = scenario.workload.batch / strategy.devices;
  options.local.optimizer = scenario.workload.optimizer;
  options.local.optimizer.schedule = {};
  options.local.storage = storage_of(strategy.precision);
  options.schedule = schedule_of(scenario.workload, strategy.federated.local_steps);
  options.expected_clients = static_cast<std::size_t>(strategy.devices);
  options.seed = seed;
  return options;
}

class LocalSgd {
 public:
  LocalSgd(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed)
      : workload_(scenario.workload),
        strategy_(strategy),
        data_(load_data_set(workload_.dataset, seed)),
        training_(workload_.network, data_.train, parts(seed), options_of(scenario, strategy, seed)),
        weights_(first_weights(workload_, seed)) {}

  std::vector<CentralPoint> run(const Progress& progress) {
    const std::int64_t steps = in_averages(workload_.steps, strategy_.federated.local_steps);
    const std::int64_t every = std::max<std::int64_t>(1, workload_.evaluate_every / strategy_.federated.local_steps);
    std::vector<CentralPoint> points;
    for (std::int64_t step = 1; step <= steps; ++step) {
      average_once(step - 1);
      if (step % every != 0 && step != steps) continue;
      points.push_back(evaluated(step));
      const double accuracy = points.back().test.accuracy;
      if (progress) {
        progress("learning " + strategy_.name, static_cast<double>(step) / static_cast<double>(steps),
                 fmt::format("average {}, accuracy {:.4f}", step, accuracy));
      }
      if (workload_.target_accuracy > 0 && accuracy >= workload_.target_accuracy) break;
    }
    return points;
  }

  void save(const std::string& file) const { write_weights(file, *training_.plan(), weights_); }

 private:
  [[nodiscard]] std::vector<std::vector<std::size_t>> parts(std::uint64_t seed) const {
    Random random = Random::derived(seed, "local-sgd parts", 0);
    return partition(data_.train, strategy_.devices, PartitionOptions{}, random);
  }

  void average_once(std::int64_t round) {
    const auto received = std::make_shared<const std::vector<float>>(weights_);
    std::vector<LocalJob> jobs;
    for (std::size_t device = 0; device < training_.parts().size(); ++device) {
      LocalJob job;
      job.client = device;
      job.round = round;
      job.received = received;
      job.steps = strategy_.federated.local_steps;
      jobs.push_back(std::move(job));
    }
    std::vector<ClientUpdate> updates = training_.train(jobs);
    for (const ClientUpdate& update : updates) losses_.push_back(update.train_loss);
    training_.accept(weights_, std::move(updates));
  }

  CentralPoint evaluated(std::int64_t step) {
    CentralPoint point;
    point.step = step;
    point.epoch = static_cast<double>(step * strategy_.federated.local_steps * workload_.batch) /
                  static_cast<double>(data_.train.count());
    point.train_loss = std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(losses_.size());
    point.test = training_.evaluate(weights_, data_.test);
    losses_.clear();
    return point;
  }

  const WorkloadSpec& workload_;
  const StrategySpec& strategy_;
  DataSet data_;
  FederatedTraining training_;
  std::vector<float> weights_;
  std::vector<double> losses_;  // of every device and average since the last evaluation
};

}  // namespace

std::vector<CentralPoint> learn_local_sgd(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed,
                                          const Progress& progress) {
  LocalSgd training(scenario, strategy, seed);
  std::vector<CentralPoint> points = training.run(progress);
  if (!strategy.save_weights.empty()) training.save(strategy.save_weights);
  return points;
}

}  // namespace orrery
