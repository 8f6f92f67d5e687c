#include "tests/measure/ranks.hpp"

#include <algorithm>
#include <cmath>

#include "models/training/random_samples.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"
#include "scenarios/measure/real_step.hpp"

namespace orrery::testing {
namespace {

Batch batch_of(const Samples& samples, std::int64_t batch, int step) {
  const auto count = static_cast<std::size_t>(batch);
  return whole(samples).part(count * static_cast<std::size_t>(step), count);
}

Samples samples_for(const Scenario& scenario, const ExecutionPlan& plan, int steps) {
  return random_samples(plan, static_cast<std::size_t>(scenario.workload.batch * steps), scenario.seed);
}

/// By TrainingStep.
std::vector<float> trained_alone(const Scenario& scenario, int steps) {
  const auto plan = std::make_shared<const ExecutionPlan>(scenario.workload.network);
  std::vector<float> weights = initial_weights(*plan, scenario.seed);
  const TrainingOptions options{.optimizer = scenario.workload.optimizer, .update = UpdateStyle::separate};
  TrainingStep step(plan, options);
  const Samples samples = samples_for(scenario, *plan, steps);
  for (int i = 0; i < steps; ++i) step.run(weights, batch_of(samples, scenario.workload.batch, i));
  return weights;
}

/// Over 1 + the larger of the two numbers.
double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double size = 1.0 + std::fmax(std::fabs(a[i]), std::fabs(b[i]));
    const double difference = std::fabs(double{a[i]} - double{b[i]}) / size;
    if (!(difference <= largest)) largest = difference;  // a NaN stays
  }
  return largest;
}

}  // namespace

Communicator& communicator() {
  static const MpiSession session;
  static Communicator all;
  return all;
}

const Catalogue& little_catalogue() {
  static const Catalogue catalogue = [] {
    Catalogue made;
    Device host;
    host.id = "host";
    host.peak.fill(FlopsPerSecond(giga));
    host.memory = Bytes(giga);
    host.memory_bandwidth = BytesPerSecond(giga);
    made.devices.push_back(host);
    Link net;
    net.id = "net";
    net.kind = "ethernet";
    net.down = net.up = BytesPerSecond(giga);
    made.links.push_back(net);
    return made;
  }();
  return catalogue;
}

Scenario scenario_on(int nodes, const std::string& workload, const std::string& strategies) {
  const std::string cluster =
      "[cluster]\ndevice = \"host\"\nnodes = " + std::to_string(nodes) + "\nnetwork_link = \"net\"\n";
  return parse_scenario("[workload]\n" + workload + cluster + strategies, "ranks.toml", little_catalogue());
}

std::vector<float> really_trained(const Scenario& scenario, std::size_t index, int steps) {
  const StrategySpec& strategy = scenario.strategies[index];
  const CostModel cost = cost_model(scenario, strategy, little_catalogue());
  const Cluster cluster = build_cluster(strategy.cluster.description);
  const Job job{scenario, strategy, cost, cluster};
  const auto plan = std::make_shared<const ExecutionPlan>(scenario.workload.network);
  const std::vector<float> start = initial_weights(*plan, scenario.seed);
  StepRecorder recorder(communicator().rank());
  if (communicator().rank() >= ranks_of(strategy)) return {};
  const auto step = make_real_step({job, plan, scenario.workload.optimizer, start, communicator(), recorder, 1});
  const Samples samples = samples_for(scenario, *plan, steps);
  for (int i = 0; i < steps; ++i) {
    recorder.start();
    step->run(batch_of(samples, scenario.workload.batch, i));
  }
  return step->weights();
}

double distance_from_alone(const Scenario& scenario, int steps) {
  const std::vector<float> weights = really_trained(scenario, 0, steps);
  return communicator().rank() == 0 ? largest_difference(weights, trained_alone(scenario, steps)) : 0.0;
}

}  // namespace orrery::testing
