// McMahan, Moore, Ramage, Hampson, Aguera y Arcas 2017, Communication-Efficient Learning of Deep Networks from
// Decentralized Data (arXiv 1602.05629), algorithm 1, written with deltas: w += eta_g sum_k n_k / n delta_k. With the
// server's rate eta_g = 1 this is the paper's average of the clients' models.
#include "models/training/federated/server_step.hpp"

namespace orrery {
namespace {

class FedAvg final : public FederatedAlgorithm {
 public:
  explicit FedAvg(const AlgorithmSetup& setup)
      : rate_(setup.options.server_learning_rate), parameters_(setup.parameters) {}

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    add_step(weights.first(parameters_), mean_delta(updates, 0, parameters_), rate_);
    average_statistics(weights, updates, parameters_);
  }

 private:
  double rate_;
  std::size_t parameters_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fedavg(const AlgorithmSetup& setup) {
  return std::make_unique<FedAvg>(setup);
}

}  // namespace orrery
