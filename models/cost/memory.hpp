// Memory of one device: weights, gradients, optimizer state, activations. Formulas with each function.
#pragma once

#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/networks/segments.hpp"

namespace orrery {

struct MemoryEstimate {
  Bytes weights, gradients, optimizer, activations;
  Bytes working;  // beside them: buffers, the framework's own
  [[nodiscard]] Bytes peak() const { return weights + gradients + optimizer + activations + working; }
};

/// Bytes per parameter. Weights and gradients in the precision (fp32 and tf32: 4; fp64: 8; 16 bits: 2, and so for 8-bit
/// formats, which are formats of products only). Below fp32 the optimizer keeps an fp32 copy of the weights (4). Each
/// state of the optimizer (optimizer_states) is as wide as the weights, at least fp32.
/// Mixed-precision Adam: 2 + 2 + 12 = 16 (Rajbhandari et al. 2020, ZeRO, section 3.1); Megatron-LM, which keeps fp32
/// gradients, counts 18 (Korthikanti et al. 2022). fp32: SGD 8, momentum 12, Adam 16.
struct BytesPerParameter {
  double weights = 4, gradients = 4, optimizer = 0;
};
BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer);
/// The same with what a framework keeps beside weights of 16 bits: gradients in its gradient_bytes or
/// bf16_gradient_bytes, and in the optimizer its master_bytes and, for each state, its state_bytes.
BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer, const FrameworkProfile& framework);

/// Forward passes whose activations a device keeps at once.
struct InFlight {
  double samples = 0;  // of one forward pass
  double passes = 1;   // begun and not yet done backward
  Recompute recompute = Recompute::none;
  /// Of products in fp8, per number of their inputs: each dense layer but the one that writes the loss's input keeps a
  /// copy as it was cast, and the tensor itself stays only where another layer needs it; so do experts. 0: the tensors
  /// are kept. (Transformer Engine keeps copies: its issue 1764 and pull request 1865.)
  double operand_bytes = 0;
  /// Software whose fused attention keeps no scores, whose loss keeps its kept_logit_bytes, and whose optimizer and
  /// gradients have widths of its own; none: every attention keeps them, every loss fp32, and gradients are as wide as
  /// weights.
  const FrameworkProfile* software = nullptr;
};

/// Memory of a device that holds the shares `shares` (1 = whole layer, 0 = not held) of the graph's layers and keeps
/// activations of passes x samples. shares has one entry per layer: parameters x share.work; the outputs
/// kept x share.output; the inputs kept x share.input.
/// Gradients and optimizer state: of what trains, not of frozen layers.
/// Activations: what backward needs of forward (kept_for_backward), every tensor once however many layers need it, at
/// the largest of their shares (what was gathered for one of them holds the others' part), a view's output being its
/// input; nothing below the lowest layer that trains; the loss keeps its predictions or probabilities in fp32 in every
/// precision (as automatic mixed precision does) unless in_flight.software says otherwise. A transformer block keeps 32
/// T h + 2 heads T^2 bytes in 16 bits, and with a dropout after attention, after the perceptron and of the scores 34 T
/// h + 5 heads T^2, as Korthikanti et al. 2022, equation 1. Without in_flight.software attention is counted unfused,
/// with its scores kept; models/kernels keeps one number per head and token instead. With recompute = full: what
/// crosses into a segment of recompute_segments(), of every pass in flight, and what backward needs of the largest
/// segment besides, of one pass; a transformer's blocks keep 2 T h bytes each in 16 bits (Korthikanti et al. 2022,
/// section 5). A segment that a device holds in part counts with that part. With operand_bytes a block keeps in fp8 1
/// byte of each input of a product, and fused attention its output beside the copy that the projection keeps: 27 T h
/// instead of 32. A tied layer on a device without its embedding holds a copy of the weights (first and last pipeline
/// stage). Working, with in_flight.software: gradients of the logits, which it holds while the loss goes back (with
/// recomputation what they and the loss's segment take beyond the largest), and its reserve_GiB; without, nothing. Not
/// counted: gradients of other activations, workspaces.
MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<Share>& shares, const InFlight& in_flight,
                               Precision precision, OptimizerKind optimizer);
/// Bytes per sample that each layer keeps for backward where nothing is recomputed, as the activations count them, but
/// seen alone: a tensor that two layers need is kept by both.
std::vector<Bytes> kept_by_layers(const LayerGraph& graph, const InFlight& in_flight, Precision precision);
/// Without recomputation.
MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<Share>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer);
/// The same share of work, input and output for each layer.
MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<double>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer);

}  // namespace orrery
