#include "scenarios/federated/clients.hpp"

#include <utility>

#include "models/kernels/bfloat16.hpp"
#include "scenarios/central_learning.hpp"

namespace orrery {

FederatedClients::FederatedClients(const Scenario& scenario, const StrategySpec& strategy)
    : graph_(scenario.workload.network),
      data_(load_data_set(scenario.workload.dataset, scenario.seed)),
      seed_(scenario.seed),
      schedule_(strategy.optimizer.schedule) {
  local_.epochs = strategy.local_epochs;
  local_.batch = strategy.local_batch;
  local_.optimizer = strategy.optimizer;
  local_.storage = storage_of(strategy.precision);
  local_.recompute = strategy.recompute;
  schedule_.total = strategy.rounds;
  local_.optimizer.schedule = {};
  Random random = Random::derived(scenario.seed, "partition");
  parts_ = partition(data_.train, scenario.federation.clients(), scenario.federation.partition,
                     scenario.federation.alpha, random);
  for (const auto& part : parts_) samples_.push_back(static_cast<std::int64_t>(part.size()));
}

std::vector<LocalResult> FederatedClients::train(std::span<const float> weights, std::int64_t round,
                                                 std::span<const std::size_t> clients) const {
  LocalOptions local = local_;
  local.optimizer.learning_rate *= rate_share(schedule_, round);
  const std::vector<float> received = sent({weights.begin(), weights.end()});
  auto results = train_clients(graph_, received, data_.train, parts_, clients, local, seed_, round);
  for (LocalResult& result : results) result.weights = sent(std::move(result.weights));
  return results;
}

std::vector<float> FederatedClients::sent(std::vector<float> weights) const {
  if (local_.storage == Storage::bf16) round_to_bf16(std::span<float>(weights));
  return weights;
}

}  // namespace orrery
