// Decentralised learning: in every round each client that is online trains and averages its model with its neighbours'
// (Lian et al. 2017, D-PSGD with local steps). No server: the slowest client's average ends the round. What is
// evaluated is the mean of all models, with their distance from it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scenarios/federated/coordinator.hpp"
#include "scenarios/federated/exchange.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

class Gossip {
 public:
  explicit Gossip(CoSimulation& simulation)
      : simulation_(simulation),
        graph_(graph_of(simulation)),
        pool_(simulation.job(), simulation.work(), simulation.fleet(), {0, graph_.size()}),
        exchange_(simulation, graph_) {
    simulation.journal().evaluate_mean_of({1, graph_.size()});
  }

  void run() {
    start();
    simulation_.run_to_end();
    keep_mean();
  }

 private:
  static GossipGraph graph_of(CoSimulation& simulation) {
    Random random = Random::derived(simulation.job().scenario.seed, "gossip");
    const FederatedOptions& options = simulation.options();
    return gossip_graph(options.topology, options.degree, simulation.fleet().clients(), random);
  }

  /// What was evaluated is also what is saved: the mean of all models in place of global weights.
  void keep_mean() {
    MixedSlot mean;
    for (std::size_t client = 0; client < graph_.size(); ++client) {
      mean.of.push_back({1 + client, 1.0 / static_cast<double>(graph_.size())});
    }
    simulation_.job().learner.mix(std::vector{mean});
  }

  void start() {
    std::vector<std::size_t> clients;
    std::vector<Seconds> compute;
    const std::int64_t round = simulation_.journal().steps();
    for (std::size_t client = 0; client < graph_.size(); ++client) {
      if (!simulation_.fleet().online(client)) continue;
      const int epochs = drawn_epochs(simulation_.options(), simulation_.job().scenario.seed, client, round);
      clients.push_back(client);
      compute.push_back(simulation_.work().training(client, epochs) + simulation_.work().packing(client));
      simulation_.job().learner.dispatch(client, 1 + client, round, epochs);
    }
    if (clients.empty()) {
      wait();
      return;
    }
    exchange_.start(clients, compute, [this, clients](const NeighbourExchange::Result& result) {
      for (const std::size_t client : clients) {
        const bool counts = std::binary_search(result.clients.begin(), result.clients.end(), client);
        if (!counts) simulation_.job().learner.abandon(client);
      }
      average(result);
    });
  }

  /// For the next one to come online; when there is none, nothing is left to happen.
  void wait() {
    const Seconds wait = pool_.until_online(1);
    if (std::isfinite(wait.value())) simulation_.network().after(wait, [this] { start(); });
  }

  void average(const NeighbourExchange::Result& result) {
    ServerStep step;
    step.critical_trip = result.clients.empty() ? -1 : result.last_trip;
    for (const std::size_t client : result.clients) {
      ClientWork& work = simulation_.work();
      const Device& device = simulation_.job().population.group(client).device;
      const auto took_part = [&](std::size_t neighbour) {
        return std::binary_search(result.clients.begin(), result.clients.end(), neighbour);
      };
      const auto models = std::count_if(graph_[client].begin(), graph_[client].end(), took_part);
      if (models == 0) continue;
      const Seconds time = work.aggregation(static_cast<std::size_t>(models), 0, device) * work.slowdown(client);
      step.aggregation = std::max(step.aggregation, time);
    }
    simulation_.network().after(step.aggregation, [this, step, result] { end_round(step, result); });
  }

  void end_round(const ServerStep& step, const NeighbourExchange::Result& result) {
    Learner& learner = simulation_.job().learner;
    std::vector<bool> takes_part(graph_.size(), false);
    double loss = 0, samples = 0;
    for (const std::size_t client : result.clients) {
      takes_part[client] = true;
      const auto own = static_cast<double>(learner.samples()[client]);
      loss += learner.aggregate(1 + client, std::vector{Report{client, 0}}) * own;
      samples += own;
      simulation_.journal().add_samples(simulation_.samples_trained(client, simulation_.journal().steps()));
    }
    learner.mix(metropolis_weights(graph_, takes_part));
    if (samples > 0) train_loss_ = loss / samples;
    simulation_.end_step(step, train_loss_);
    if (!simulation_.journal().finished()) start();
  }

  CoSimulation& simulation_;
  GossipGraph graph_;
  ClientPool pool_;
  NeighbourExchange exchange_;
  double train_loss_ = 0;
};

}  // namespace

void run_gossip(CoSimulation& simulation) {
  Gossip(simulation).run();
}

}  // namespace orrery
