// Li, Sanjabi, Beirami, Smith 2020, Fair Resource Allocation in Federated Learning (arXiv 1905.10497), algorithm 2
// (q-FedAvg): clients with a larger loss F_k(w) of the received weights weigh more. With L = 1 / eta and D_k = -L
// delta_k:
//   w -= sum_k F_k^q D_k / sum_k h_k,   h_k = q F_k^(q-1) |D_k|^2 + L F_k^q
// Every client weighs the same beside that, as published (there clients are sampled by their size): q = 0 is the plain
// mean of the deltas.
#include <algorithm>
#include <cmath>

#include "models/training/federated/server_step.hpp"
#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class QFedAvg final : public FederatedAlgorithm {
 public:
  explicit QFedAvg(const AlgorithmSetup& setup) : q_(setup.options.fairness_q), parameters_(setup.parameters) {
    ORRERY_EXPECT(q_ >= 0);
  }

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    std::vector<double> factors;
    double sum = 0;
    for (const ClientUpdate& update : updates) {
      constexpr double least = 1e-10;  // keeps powers finite where a loss is 0, as in the authors' code
      const double loss = std::max(update.start_loss, least), steepness = 1 / update.learning_rate;
      const double square = steepness * steepness * sum_of_squares(std::span(update.delta).first(parameters_));
      const double weight = std::pow(loss, q_);
      sum += (q_ > 0 ? q_ * std::pow(loss, q_ - 1) * square : 0.0) + steepness * weight;
      factors.push_back(steepness * weight);
    }
    for (double& factor : factors) factor /= sum;
    add_step(weights.first(parameters_), weighted_sum(updates, factors, 0, parameters_), 1.0);
    average_statistics(weights, updates, parameters_);
  }

 private:
  double q_;
  std::size_t parameters_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_qfedavg(const AlgorithmSetup& setup) {
  return std::make_unique<QFedAvg>(setup);
}

}  // namespace orrery
