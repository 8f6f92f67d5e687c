// Reddi et al. 2021, Adaptive Federated Optimization (arXiv 2003.00295), algorithm 2. With d the mean delta by samples
// (the weighting of its experiments), for every parameter:
//   m = beta1 m + (1 - beta1) d
//   fedadagrad: v = v + d^2;  fedadam: v = beta2 v + (1 - beta2) d^2;  fedyogi: v = v - (1 - beta2) d^2 sign(v - d^2)
//   w += eta_g m / (sqrt(v) + tau)
// from m = 0 and v = tau^2, without correction of the bias, as published.
#include <cmath>

#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Adaptive final : public FederatedAlgorithm {
 public:
  explicit Adaptive(const AlgorithmSetup& setup)
      : options_(setup.options), first_(setup.parameters), second_(setup.parameters, options_.tau * options_.tau) {
    ORRERY_EXPECT(options_.tau > 0);
  }

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    std::vector<double> step = mean_delta(updates, 0, first_.size());
    for (std::size_t i = 0; i < step.size(); ++i) {
      first_[i] = options_.beta1 * first_[i] + (1 - options_.beta1) * step[i];
      second_[i] = second_moment(second_[i], step[i] * step[i]);
      step[i] = first_[i] / (std::sqrt(second_[i]) + options_.tau);
    }
    add_step(weights.first(step.size()), step, options_.server_learning_rate);
    average_statistics(weights, updates, step.size());
  }

 private:
  [[nodiscard]] double second_moment(double before, double square) const {
    const double share = 1 - options_.beta2;
    if (options_.kind == AlgorithmKind::fedadagrad) return before + square;
    if (options_.kind == AlgorithmKind::fedadam) return options_.beta2 * before + share * square;
    return before - share * square * (before > square ? 1.0 : before < square ? -1.0 : 0.0);
  }

  AlgorithmOptions options_;
  std::vector<double> first_, second_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_adaptive(const AlgorithmSetup& setup) {
  return std::make_unique<Adaptive>(setup);
}

}  // namespace orrery
