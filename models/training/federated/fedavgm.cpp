// Hsu, Qi, Brown 2019, Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification
// (arXiv 1909.06335): momentum on the server. With d the mean delta by samples: v = beta v + d; w += eta_g v.
#include "models/training/federated/server_step.hpp"

namespace orrery {
namespace {

class FedAvgMomentum final : public FederatedAlgorithm {
 public:
  explicit FedAvgMomentum(const AlgorithmSetup& setup)
      : rate_(setup.options.server_learning_rate),
        momentum_(setup.options.server_momentum),
        velocity_(setup.parameters) {}

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    const std::vector<double> mean = mean_delta(updates, 0, velocity_.size());
    for (std::size_t i = 0; i < mean.size(); ++i) velocity_[i] = momentum_ * velocity_[i] + mean[i];
    add_step(weights.first(velocity_.size()), velocity_, rate_);
    average_statistics(weights, updates, velocity_.size());
  }

 private:
  double rate_, momentum_;
  std::vector<double> velocity_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fedavgm(const AlgorithmSetup& setup) {
  return std::make_unique<FedAvgMomentum>(setup);
}

}  // namespace orrery
