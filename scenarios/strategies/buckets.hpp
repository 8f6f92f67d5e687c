// Gradient buckets of data parallelism.
#pragma once

#include <vector>

#include "models/networks/layer_graph.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// A run of layers whose backward passes follow each other, and the gradients that are complete after it.
struct Bucket {
  Span layers;
  Bytes bytes;  // none: nothing in the run trains (it comes last)
};

/// Buckets in the order in which backward completes them, from the last layer to the first; together they cover every
/// layer once. As in PyTorch DistributedDataParallel, gradients are added to a bucket until it holds at least
/// `capacity`, so a large layer is never cut; here the smallest unit is a layer, there a tensor.
std::vector<Bucket> gradient_buckets(const LayerGraph& graph, Bytes capacity, Bytes per_parameter);

}  // namespace orrery
