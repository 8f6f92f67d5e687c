// Karimireddy, Kale, Mohri, Reddi, Stich, Suresh 2020, SCAFFOLD: Stochastic Controlled Averaging for Federated Learning
// (arXiv 1910.06378), algorithm 1 with option II. Client i corrects every step by -eta (c - c_i); with K local steps at
// rate eta from x to y_i: c_i+ = c_i - c + (x - y_i) / (K eta). The server, for S of N clients that report:
//   x += eta_g mean_S(y_i - x);   c += |S| / N mean_S(c_i+ - c_i)
// Every client weighs the same, as published. A client that does not take part keeps its old c_i. Corrections that are
// out of date push every local step the same way, so K eta must be small (the paper's condition); where it is not,
// training collapses to guessing while FedAvg goes on (NIID-Bench, Li et al. 2022, saw it with 10 of 100 clients per
// round; tests/models/training/federated/learning.cpp shows both). With momentum in the local solver (x - y_i) /
// (K eta) is several gradients long.
#include <unordered_map>

#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Scaffold final : public FederatedAlgorithm {
 public:
  explicit Scaffold(const AlgorithmSetup& setup)
      : rate_(setup.options.server_learning_rate),
        clients_(static_cast<double>(setup.clients)),
        server_(setup.parameters) {}

  [[nodiscard]] LocalTerm local_term(std::size_t client) override {
    std::vector<float>& shift = shifts_[client];
    shift = server_;
    const auto own = controls_.find(client);
    if (own != controls_.end()) {
      for (std::size_t i = 0; i < shift.size(); ++i) shift[i] -= own->second[i];
    }
    return {.proximal = 0, .shift = shift};
  }

  void finish_client(ClientUpdate& update) const override {
    const double factor = -1.0 / (static_cast<double>(update.steps) * update.learning_rate);
    update.control.resize(server_.size());
    for (std::size_t i = 0; i < server_.size(); ++i) {
      update.control[i] = static_cast<float>(factor * static_cast<double>(update.delta[i])) - server_[i];
    }
  }

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    const std::vector<double> equal(updates.size(), 1.0 / static_cast<double>(updates.size()));
    add_step(weights.first(server_.size()), weighted_sum(updates, equal, 0, server_.size()), rate_);
    average_statistics(weights, updates, server_.size());
    std::vector<double> change(server_.size());
    for (const ClientUpdate& update : updates) {
      ORRERY_EXPECT(update.control.size() == server_.size());
      std::vector<float>& own = controls_[update.client];
      own.resize(server_.size());
      for (std::size_t i = 0; i < own.size(); ++i) {
        own[i] += update.control[i];
        change[i] += static_cast<double>(update.control[i]);
      }
    }
    add_step(server_, change, 1.0 / clients_);
    shifts_.clear();
  }

 private:
  double rate_, clients_;
  std::vector<float> server_;                                     // c
  std::unordered_map<std::size_t, std::vector<float>> controls_;  // c_i of the clients that have reported; else 0
  std::unordered_map<std::size_t, std::vector<float>> shifts_;    // c - c_i of the clients that train
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_scaffold(const AlgorithmSetup& setup) {
  return std::make_unique<Scaffold>(setup);
}

}  // namespace orrery
