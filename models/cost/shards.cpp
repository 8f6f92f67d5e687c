#include "models/cost/shards.hpp"

#include <algorithm>

#include "models/cost/layer_cost.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

std::int64_t batch_shards(double flops_per_sample, std::int64_t parameters, std::int64_t samples) {
  constexpr double flops_per_parameter = 160, least_flops = 0.03 * giga, most = 8;
  const double worth = std::max(least_flops, flops_per_parameter * static_cast<double>(parameters));
  const double shards = flops_per_sample * static_cast<double>(samples) / worth;
  return std::min(static_cast<std::int64_t>(std::clamp(shards, 1.0, most)), samples);
}

std::int64_t batch_shards(const LayerGraph& graph, std::int64_t samples) {
  return batch_shards(training_flops(graph).value(), parameters(graph), samples);
}

double busiest_share(const LayerGraph& graph, std::int64_t samples, int threads) {
  ORRERY_EXPECT(threads > 0);
  const std::int64_t shards = batch_shards(graph, samples);
  const std::int64_t most = (shards + threads - 1) / threads;
  return static_cast<double>(most) / static_cast<double>(shards);
}

}  // namespace orrery
