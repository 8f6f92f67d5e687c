// How a batch is cut for execution on threads: a matter of the network and the batch alone, so that results are too.
#pragma once

#include <cstdint>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Shards that a batch of `samples` is cut into, whoever computes them: as many as give each at least 160 FLOPs per
/// parameter (with fewer, reading the weights and writing the gradients once more takes over a third of the products'
/// time: 16 bytes per parameter at 44 GB/s against 150 GFLOP/s, rates of one core of the machine this was written on)
/// and 0.03 GFLOP (0.2 ms, some fifty times what it costs to wake a thread), and at most 8.
std::int64_t batch_shards(const LayerGraph& graph, std::int64_t samples);
/// The same from training_flops() per sample and parameters() of a graph.
std::int64_t batch_shards(double flops_per_sample, std::int64_t parameters, std::int64_t samples);

/// Share of a batch's work that the busiest of `threads` threads does: ceil(shards / threads) / shards.
double busiest_share(const LayerGraph& graph, std::int64_t samples, int threads);

}  // namespace orrery
