// Memory of one device: weights, gradients, optimizer state, activations. Formulas with each function.
#pragma once

#include "models/cost/cost_model.hpp"

namespace orrery {

struct MemoryEstimate {
  Bytes weights, gradients, optimizer, activations;
  [[nodiscard]] Bytes peak() const { return weights + gradients + optimizer + activations; }
};

/// Bytes per parameter: weights and gradients in `precision` (tf32 as fp32); mixed precision (fp16, bf16) adds an fp32
/// master copy to the optimizer state; momentum 4, Adam 8 more. Source: Korthikanti et al. 2022, recipe for fp16 Adam:
/// 2 + 2 (or 4) + 12.
struct BytesPerParameter {
  double weights = 4, gradients = 4, optimizer = 0;
};
BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer);

/// Memory of a device that holds the shares `share` (1 = whole layer, 0 = not held) of the graph's layers and keeps
/// activations of `samples_in_flight` samples. shares has one entry per layer.
MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<double>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer);

}  // namespace orrery
