// Asynchronous SGD with a parameter server (Dean et al. 2012, Large Scale Distributed Deep Networks: Downpour SGD):
// every gradient is applied as it comes, however old the weights that it was taken at: w += eta_g delta, delta = -eta
// grad.
#include "models/training/federated/server_step.hpp"

namespace orrery {
namespace {

class AsyncSgd final : public FederatedAlgorithm {
 public:
  explicit AsyncSgd(const AlgorithmSetup& setup)
      : rate_(setup.options.server_learning_rate), parameters_(setup.parameters) {}

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    for (std::size_t k = 0; k < updates.size(); ++k) {
      const auto one = updates.subspan(k, 1);
      add_step(weights.first(parameters_), mean_delta(one, 0, parameters_), rate_);
      average_statistics(weights, one, parameters_);
    }
  }

 private:
  double rate_;
  std::size_t parameters_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_async_sgd(const AlgorithmSetup& setup) {
  return std::make_unique<AsyncSgd>(setup);
}

}  // namespace orrery
