#include "models/cost/shards.hpp"

#include <algorithm>
#include <bit>

#include "models/cost/layer_cost.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

std::int64_t parameter_blocks(const Layer& layer) {
  constexpr std::int64_t block = 20'000, most = 8;
  const bool on_vectors = layer.kind == LayerKind::dense && layer.in.height * layer.in.width == 1;
  if (!on_vectors || layer.tied || weights(layer) < block) return 0;
  const auto worth = static_cast<std::uint64_t>(std::min(weights(layer) / block, most));
  return static_cast<std::int64_t>(std::bit_floor(worth));
}

double shard_worth(const LayerGraph& graph) {
  constexpr double per_summed = 800, per_blocked = 160, least = 0.03 * giga;
  double flops = 0;
  for (const Layer& layer : graph.layers) {
    const double each = parameter_blocks(layer) > 0 ? per_blocked : per_summed;
    flops += each * static_cast<double>(trainable_parameters(layer));
  }
  return std::max(flops, least);
}

std::int64_t batch_shards(double flops_per_sample, double worth, std::int64_t samples) {
  const double ratio = flops_per_sample * static_cast<double>(samples) / worth;
  const std::int64_t most = ratio < 32 ? 4 : ratio < 128 ? 8 : 16;
  std::int64_t shards = 1;
  while (2 * shards <= std::min(most, samples) && static_cast<double>(2 * shards) <= ratio) shards *= 2;
  return shards;
}

std::int64_t batch_shards(const LayerGraph& graph, std::int64_t samples) {
  const BatchCut cut = batch_cut(graph);
  return batch_shards(cut.flops_per_sample, cut.shard_worth, samples);
}

double BatchCut::shards(double samples) const {
  return static_cast<double>(batch_shards(flops_per_sample, shard_worth, static_cast<std::int64_t>(samples)));
}

BatchCut batch_cut(const LayerGraph& graph) {
  return {training_flops(graph).value(), shard_worth(graph)};
}

std::int64_t update_threads(std::int64_t parameters, std::int64_t shards, std::int64_t threads) {
  constexpr double weight_and_gradient = 8;  // bytes
  const bool stays = shards == 1 && weight_and_gradient * static_cast<double>(parameters) <= core_cache_bytes;
  return stays ? 1 : threads;
}

double busiest_share(const LayerGraph& graph, std::int64_t samples, int threads) {
  ORRERY_EXPECT(threads > 0);
  const std::int64_t shards = batch_shards(graph, samples);
  const std::int64_t most = (shards + threads - 1) / threads;
  return static_cast<double>(most) / static_cast<double>(shards);
}

}  // namespace orrery
