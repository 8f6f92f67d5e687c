// Synchronous rounds at one server: FedAvg and its kin.
#include "scenarios/federated/cohort.hpp"
#include "scenarios/federated/coordinator.hpp"

namespace orrery {
namespace {

class Rounds {
 public:
  explicit Rounds(CoSimulation& simulation)
      : simulation_(simulation),
        cohort_(simulation, {{0, simulation.fleet().clients()},
                             static_cast<std::size_t>(simulation.options().participation.clients_per_round),
                             simulation.hosts().server(),
                             0}) {}

  void run() {
    start();
    simulation_.run_to_end();
  }

 private:
  void start() {
    cohort_.start([this](const Cohort::Result& result) { aggregate(result); });
  }

  void aggregate(const Cohort::Result& result) {
    ServerStep step;
    step.critical_trip = result.critical_trip;
    step.aggregation = simulation_.server_time(result.clients.size(), result.asked - result.clients.size());
    simulation_.network().after(step.aggregation, [this, step, result] { end_round(step, result); });
  }

  void end_round(const ServerStep& step, const Cohort::Result& result) {
    std::vector<Report> reports;
    for (const std::size_t client : result.clients) reports.push_back({client, 0});
    if (!reports.empty()) train_loss_ = simulation_.job().learner.aggregate(0, reports);
    cohort_.pool().note(result.clients, simulation_.journal().steps());
    simulation_.journal().add_samples(result.samples);
    simulation_.end_step(step, train_loss_);
    if (!simulation_.journal().finished()) start();
  }

  CoSimulation& simulation_;
  Cohort cohort_;
  double train_loss_ = 0;
};

}  // namespace

void run_rounds(CoSimulation& simulation) {
  Rounds(simulation).run();
}

}  // namespace orrery
