// How a batch is cut for execution on threads: a matter of the network and the batch alone, so that results are too.
#pragma once

#include <cstdint>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Parts in which the gradient of a layer's parameters is computed, over all shards at once, after the shards' own
/// backward passes; 0: each shard computes its own and they are added up. Parts pay for dense layers on vectors, whose
/// every weight is used once per sample only: moving their gradients would cost more than the products. The largest
/// power of two, so that threads share them evenly, of at least 20,000 weights each and up to 8: a block of two hundred
/// columns multiplies 5 % faster than half of it (dense 784 x 200, 64 samples, AVX-512, measured).
std::int64_t parameter_blocks(const Layer& layer);

/// FLOPs that a shard must be worth: 800 per parameter of which each shard has a gradient (about 1 ns to write, read
/// and add one up, measured; at 180 GFLOP/s a fifth of the time), 160 per parameter of the layers with
/// parameter_blocks() (their weights are read once more), and at least 0.03 GFLOP (0.2 ms, some fifty times what it
/// costs to wake a thread).
double shard_worth(const LayerGraph& graph);

/// Shards that a batch of `samples` is cut into, whoever computes them. With r = FLOPs of the batch / shard_worth: the
/// largest power of two up to r, so that threads share them evenly, and up to 4 while r < 32, 8 while r < 128, 16
/// beyond (more shards of fewer samples make slower products).
std::int64_t batch_shards(const LayerGraph& graph, std::int64_t samples);
/// The same from training_flops() per sample and shard_worth() of a graph.
std::int64_t batch_shards(double flops_per_sample, double worth, std::int64_t samples);

/// How the batches of a network are cut. By default they are not.
struct BatchCut {
  double flops_per_sample = 0, shard_worth = 1;
  /// Shards of a batch; of a fraction of a sample: those of what is whole in it.
  [[nodiscard]] double shards(double samples) const;
};
BatchCut batch_cut(const LayerGraph& graph);

/// Bytes of a core's own (second) cache, as servers have since 2022 (Sapphire Rapids; others half of it).
inline constexpr double core_cache_bytes = 2.0 * 1024 * 1024;

/// Threads that share out the update of `parameters` weights: one when the batch was not cut and weights and gradients
/// fit into the cache of the core that made the gradients, since to carry them to another core and back takes longer
/// than the update; else all.
std::int64_t update_threads(std::int64_t parameters, std::int64_t shards, std::int64_t threads);

/// Weights that an update hands to a thread at once: few enough to share out and to stay in a core's cache, enough to
/// pay for the sharing.
inline constexpr std::int64_t weights_per_update = 16384;

/// Share of a batch's work that the busiest of `threads` threads does: ceil(shards / threads) / shards.
double busiest_share(const LayerGraph& graph, std::int64_t samples, int threads);

}  // namespace orrery
