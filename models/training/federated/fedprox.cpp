// Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith 2020, Federated Optimization in Heterogeneous Networks (arXiv
// 1812.06127), algorithm 2: clients minimise F_k(w) + mu / 2 |w - w_received|^2, so mu (w - w_received) is added to
// every gradient; the server averages as FedAvg does (by samples, as in the authors' experiments; the analysis has the
// shares in the sampling instead).
#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedProx final : public FederatedAlgorithm {
 public:
  explicit FedProx(const AlgorithmSetup& setup) : average_(make_fedavg(setup)), mu_(setup.options.proximal_mu) {
    ORRERY_EXPECT(mu_ >= 0);
  }
  [[nodiscard]] LocalTerm local_term(std::size_t /*client*/) override { return {.proximal = mu_, .shift = {}}; }
  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    average_->apply(weights, updates);
  }

 private:
  std::unique_ptr<FederatedAlgorithm> average_;
  double mu_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fedprox(const AlgorithmSetup& setup) {
  return std::make_unique<FedProx>(setup);
}

}  // namespace orrery
