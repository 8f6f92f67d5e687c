// Nguyen et al. 2022, Federated Learning with Buffered Asynchronous Aggregation (arXiv 2106.06639), algorithm 1: after
// K updates, w += eta_g / K sum_k s(staleness_k) delta_k. Every update counts the same whatever its samples, as
// published; s is a factor, not a share: stale updates shorten the step.
#include "models/training/federated/server_step.hpp"

namespace orrery {
namespace {

class FedBuff final : public FederatedAlgorithm {
 public:
  explicit FedBuff(const AlgorithmSetup& setup) : options_(setup.options), parameters_(setup.parameters) {}

  void apply(std::span<float> weights, std::span<const ClientUpdate> updates) override {
    std::vector<double> factors;
    for (const ClientUpdate& update : updates) {
      factors.push_back(staleness_weight(options_, update.staleness) / static_cast<double>(updates.size()));
    }
    const std::vector<double> sum = weighted_sum(updates, factors, 0, parameters_);
    add_step(weights.first(parameters_), sum, options_.server_learning_rate);
    average_statistics(weights, updates, parameters_);
  }

 private:
  AlgorithmOptions options_;
  std::size_t parameters_;
};

}  // namespace

std::unique_ptr<FederatedAlgorithm> make_fedbuff(const AlgorithmSetup& setup) {
  return std::make_unique<FedBuff>(setup);
}

}  // namespace orrery
