// Vanilla split learning (Gupta and Raskar 2018): clients hold the layers up to the cut, the server the rest. Clients
// take turns; for every batch the activations at the cut go up and their gradients come down, and between two clients
// the client's layers go through the server. A server step is a round of clients_per_round turns.
//
// Mathematically each turn is plain training from the weights the client before has left. The labels, a few bytes a
// sample, and the update of an interrupted turn's server layers are left out.
#include <algorithm>
#include <cmath>

#include "scenarios/federated/coordinator.hpp"
#include "scenarios/federated/split_work.hpp"

namespace orrery {
namespace {

class SplitLearning {
 public:
  explicit SplitLearning(CoSimulation& simulation)
      : simulation_(simulation),
        work_(simulation.job(), simulation.work()),
        pool_(simulation.job(), simulation.work(), simulation.fleet(), {0, simulation.fleet().clients()}) {}

  void run() {
    next_turn();
    simulation_.run_to_end();
  }

 private:
  void next_turn() {
    const std::vector<std::size_t> clients = pool_.select(simulation_.journal().steps(), 1);
    if (clients.empty()) {
      const Seconds wait = pool_.until_online(1);
      if (std::isfinite(wait.value())) simulation_.network().after(wait, [this] { next_turn(); });
      return;
    }
    const std::size_t client = clients.front();
    const std::int64_t round = simulation_.journal().steps();
    const int epochs = drawn_epochs(simulation_.options(), simulation_.job().scenario.seed, client, round);
    const LocalBatches batches = simulation_.work().batches_of(client, epochs);
    simulation_.job().learner.dispatch(client, 0, round, epochs);
    const Seconds serving = work_.server(batches);
    simulation_.fleet().send(client, work_.turn(client, batches), simulation_.hosts().server(),
                             [this, serving](std::size_t trip) { ended(trip, serving); });
  }

  /// `serving`: the server's work for the whole turn.
  void ended(std::size_t trip, Seconds serving) {
    const Trip& record = simulation_.run().trips[trip];
    server_time_ += serving * record.compute_share;
    const auto client = static_cast<std::size_t>(record.client);
    if (record.how == TripEnd::reported) {
      train_loss_ = simulation_.job().learner.aggregate(0, std::vector{Report{client, 0}});
      pool_.note({client}, simulation_.journal().steps());
      simulation_.journal().add_samples(simulation_.samples_trained(client, simulation_.journal().steps()));
      critical_trip_ = static_cast<std::int32_t>(trip);
    } else {
      simulation_.job().learner.abandon(client);
    }
    turns_.push_back(client);
    pool_.reserve(client);
    if (turns_.size() < static_cast<std::size_t>(simulation_.options().participation.clients_per_round)) {
      next_turn();
    } else {
      end_round();
    }
  }

  void end_round() {
    ServerStep step;
    step.critical_trip = critical_trip_;
    step.aggregation = server_time_;
    for (const std::size_t client : turns_) pool_.release(client);
    turns_.clear();
    server_time_ = {};
    critical_trip_ = -1;
    const Seconds evaluation = simulation_.evaluation_time();
    step.aggregation += evaluation;
    simulation_.network().after(evaluation, [this, step] {
      simulation_.end_step(step, train_loss_);
      if (!simulation_.journal().finished()) next_turn();
    });
  }

  CoSimulation& simulation_;
  SplitWork work_;
  ClientPool pool_;
  double train_loss_ = 0;
  // Of the round under way
  std::vector<std::size_t> turns_;  // clients that have had theirs
  Seconds server_time_;
  std::int32_t critical_trip_ = -1;
};

}  // namespace

void run_split(CoSimulation& simulation) {
  SplitLearning(simulation).run();
}

}  // namespace orrery
