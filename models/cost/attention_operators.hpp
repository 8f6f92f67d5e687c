// Attention as kernels: fused into one, or products and passes over the scores.
#pragma once

#include "models/cost/framework.hpp"
#include "models/cost/operators.hpp"

namespace orrery {

/// Whether a framework runs the attention of a layer in one kernel: none adds scores of distances.
bool is_fused(const Layer& layer, const FrameworkProfile& framework);

/// Of the FLOPs of a layer, which count attention whole, those that are executed: a fused kernel leaves out the keys
/// that causal queries do not see.
double executed_share(const Layer& layer, const FrameworkProfile& framework);

/// attention and cross_attention; `width`: bytes of a number in memory. Conventions as operators_of().
LayerOperators attention_operators(const Layer& layer, const OperatorShare& share, double width);

/// `count` products of M x K by K x N that read and write each matrix once.
Operator product_of(double m, double n, double k, double count, double width);
/// A kernel that moves so many bytes for each of `numbers`, were they of 16 bits.
Operator streaming_of(double numbers, double bytes_at_16_bits, double width);

}  // namespace orrery
