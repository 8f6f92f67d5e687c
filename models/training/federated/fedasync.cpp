// Xie, Koyejo, Gupta 2019, Asynchronous Federated Optimization (arXiv 1903.03934), algorithm 1: for every update, in
// order of arrival, with w_k = received + delta the client's model and a = alpha s(staleness): w = (1 - a) w + a w_k.
// Running statistics are mixed in the same way. The paper's clients also pull towards the weights received (a proximal
// term rho / 2 |w - received|^2 in the local loss); here they minimise the plain loss: rho = 0.
#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedAsync final : public FederatedAlgorithm {
 public:
  explicit FedAsync(const AlgorithmSetup& setup) : options_(setup.options) {
    ORRERY_EXPECT(options_.mixing > 0 && options_.mixing <= 1);
  }

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    for (const ClientUpdate& update : updates) mix(weights, update);
  }

 private:
  void mix(std::span<float> weights, const ClientUpdate& update) const {
    ORRERY_EXPECT(update.received && update.received->size() == weights.size());
    ORRERY_EXPECT(update.delta.size() == weights.size());
    const double share = options_.mixing * staleness_weight(options_, update.staleness);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double own = static_cast<double>((*update.received)[i]) + static_cast<double>(update.delta[i]);
      weights[i] = static_cast<float>((1 - share) * static_cast<double>(weights[i]) + share * own);
    }
  }

  AlgorithmOptions options_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fedasync(const AlgorithmSetup& setup) {
  return std::make_unique<FedAsync>(setup);
}

}  // namespace orrery
