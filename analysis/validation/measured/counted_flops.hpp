// FLOPs as publications count them, which is not what devices compute: conventions differ by source.
#pragma once

#include "analysis/validation/measured/measured_row.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/networks/segments.hpp"

namespace orrery {

/// Of the forward pass of one sample: matrix products (and convolutions) of the body, of the head (the last dense
/// layer), and of attention's scores and values, every token against every token.
struct CountedFlops {
  double body = 0, head = 0, attention = 0;
};
CountedFlops counted_flops(const LayerGraph& graph);

enum class FlopConvention : std::uint8_t {
  full,         // Megatron-LM and PaLM: attention counted whole, whether causal or not
  causal,       // attention counted half (ml-engineering notes of S. Bekman)
  leading_term  // 96 B s l h^2 with recomputation: neither attention nor head
};
/// By the words of the row's notes: "causal attention", "96BslH^2".
FlopConvention convention_of(const MeasuredRow& row);

/// Of one step over `samples`: 3 x forward; hardware adds one forward pass of the body and of attention for full
/// recomputation, attention alone for selective, half of the body for operators (no source says how it counts them);
/// the head is not computed again.
double model_flops(const CountedFlops& flops, FlopConvention convention, double samples);
double hardware_flops(const CountedFlops& flops, FlopConvention convention, Recompute recompute, double samples);

}  // namespace orrery
