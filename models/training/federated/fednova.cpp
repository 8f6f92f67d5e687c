// Wang, Liu, Liang, Joshi, Poor 2020, Tackling the Objective Inconsistency Problem in Heterogeneous Federated
// Optimization (arXiv 2007.07481). Clients' changes are normalised by how much their local solver accumulates: with
// p_k = n_k / n and |a_k| the L1 norm of the weights with which the gradients of tau_k local steps end up in delta_k,
//   w += eta_g (sum_k p_k |a_k|) sum_k p_k delta_k / |a_k|
// Plain SGD: |a| = tau. Momentum rho: |a| = (tau - rho (1 - rho^tau) / (1 - rho)) / (1 - rho).
#include <cmath>

#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedNova final : public FederatedAlgorithm {
 public:
  explicit FedNova(const AlgorithmSetup& setup)
      : rate_(setup.options.server_learning_rate), momentum_(setup.momentum), parameters_(setup.parameters) {
    ORRERY_EXPECT(momentum_ >= 0 && momentum_ < 1);
  }

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    std::vector<double> factors = sample_shares(updates);
    double effective = 0;
    for (std::size_t k = 0; k < updates.size(); ++k) {
      const double norm = accumulated(static_cast<double>(updates[k].steps));
      effective += factors[k] * norm;
      factors[k] /= norm;
    }
    add_step(weights.first(parameters_), weighted_sum(updates, factors, 0, parameters_), rate_ * effective);
    average_statistics(weights, updates, parameters_);
  }

 private:
  [[nodiscard]] double accumulated(double steps) const {
    ORRERY_EXPECT(steps > 0);
    const double kept = 1 - momentum_;
    return (steps - momentum_ * (1 - std::pow(momentum_, steps)) / kept) / kept;
  }

  double rate_, momentum_;
  std::size_t parameters_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fednova(const AlgorithmSetup& setup) {
  return std::make_unique<FedNova>(setup);
}

}  // namespace orrery
