// A layer as the kernels a framework launches for it: matrix products with their shapes, kernels bound by memory with
// their bytes, fused attention with its FLOPs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "sim/base/units.hpp"
#include "topologies/device_law.hpp"
#include "topologies/precision.hpp"

namespace orrery {

/// product: `count` products of M x K by K x N, in one launch. streaming: `bytes` through memory. attention: one fused
/// kernel of `flops`.
struct Operator {
  enum class Kind : std::uint8_t { product, convolution, streaming, attention_forward, attention_backward };
  Kind kind = Kind::streaming;
  double m = 0, n = 0, k = 0, count = 1;
  double bytes = 0;
  double flops = 0;
};

/// Kernels of one layer, for one micro-batch on one device. Backward is cut in two, as schedules that delay the
/// gradients of weights do: of the input (and everything else), and of the weights alone.
struct LayerOperators {
  std::vector<Operator> forward, backward_input, backward_weights;
  bool is_attention_core = false;  // what selective recomputation does again
};

enum class AttentionKernel : std::uint8_t { unfused, flash };

/// The part of a layer that one device works on.
struct OperatorShare {
  double tokens = 1;      // rows that the layer works on: samples x tokens of its input (images: samples x pixels)
  double samples = 1;
  double work = 1;        // share of the heads, of the units split in columns or rows (tensor parallelism)
  bool splits_input = false;  // dense: the inner dimension is split (row), else the units (column)
  double region = 1;      // share of the tokens where the layer is not split itself (sequence parallelism)
  double context = 1;     // share of the tokens of a sequence that this device has as queries (context parallelism)
  double expert_tokens = 0;  // mixture of experts: token visits that the experts here work on
  double experts_here = 0;
  double logit_bytes = 40;
  AttentionKernel attention = AttentionKernel::unfused;
};

LayerOperators operators_of(const Layer& layer, const OperatorShare& share, Precision precision);

/// The two laws. Products: tiles of 256x128, 128x256, 128x128, 128x64 and 64x64 (shares .97 for 128x128, .88, .72 for
/// the smaller: fit to published rates), split along K up to 8 ways; x = tiles / multiprocessors, at least 1, not
/// rounded up; time = x 2 tile (K + k0) / (gemm_share peak / multiprocessors), the fastest of them; without a number of
/// multiprocessors 2 M N K (K + k0) / (K gemm_share peak). Never below its bytes, nor without gemm_launch. Streaming:
/// kernel_launch + bytes / (memory_share bandwidth). Attention: flops / (share x peak) + kernel_launch.
Seconds operator_time(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision);
/// 2 M N K count, or flops; 0 for streaming.
Flops flops_of(const Operator& op);

}  // namespace orrery
