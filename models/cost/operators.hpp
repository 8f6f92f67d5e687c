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

/// product: `count` products of M x K by K x N, in one launch, `bytes` being what they read and write. convolution: the
/// same as an implicit product; dense_window: of windows of 3 x 3 that move by one place, which need fewer
/// multiplications (Lavin and Gray 2016, arXiv 1509.09308). streaming: `bytes` through memory. attention: one fused
/// kernel of `flops` and `bytes`. `launches` of the same follow one another (the tokens of a recurrent layer); bytes of
/// streaming count all of them, of a product each.
struct Operator {
  enum class Kind : std::uint8_t {
    product,
    convolution,
    dense_window,
    streaming,
    attention_forward,
    attention_backward
  };
  Kind kind = Kind::streaming;
  double m = 0, n = 0, k = 0, count = 1;
  double launches = 1;
  double bytes = 0;
  double flops = 0;
};

/// Kernels of one layer, for one micro-batch on one device. Backward is cut in two, as schedules that delay the
/// gradients of weights do: of the input (and everything else), and of the weights alone.
struct LayerOperators {
  std::vector<Operator> forward, backward_input, backward_weights;
  bool is_attention_core = false;  // what the keys of context parallelism go round for
};

enum class AttentionKernel : std::uint8_t { unfused, flash };
/// autocast: softmax and dropout of 16-bit scores run in fp32, cast before and after.
enum class ScoreFormat : std::uint8_t { as_kept, autocast };

/// The part of a layer that one device works on.
struct OperatorShare {
  double samples = 1;        // of a micro-batch
  double context = 1;        // share of every sequence that is here (context parallelism)
  double work = 1;           // share of the heads or units (tensor parallelism)
  double input = 1;          // dense: share of the inner dimension (a layer split in rows); work is 1 for its units
  double region = 1;         // share of the tokens of a layer that is not split otherwise (sequence parallelism)
  double expert_visits = 0;  // mixture of experts: token visits that the experts here work on
  double experts = 0;        // that are here
  double reorders = 1;       // times that visits are copied into another order before the experts, and after them
  double shared_work = 1;    // of the inner width of its shared experts; work: of the others, region: of the router
  double logit_bytes = 40;   // moved by the loss, per logit, in all its passes
  double cast_bytes = 4;     // fp8: moved per number to cast operands of dense layers
  double cast_input = 1;     // share of the inputs of a dense layer that is cast here (the rest is gathered as cast)
  double cast_output = 1;    // share of the gradients of its outputs that is cast here
  AttentionKernel attention = AttentionKernel::unfused;
  ScoreFormat scores = ScoreFormat::as_kept;
};

/// Bytes per number of streaming kernels, forward / backward, at 16 bits (recipe of Korthikanti et al. 2022 and the
/// kernels of Megatron-LM): normalisation 4 / 10; residual sum 6 / 8, with the dropout before it 7 / 13; gelu 4 / 8 and
/// gated 6 / 10 per number out; softmax of the scores 4 / 6, their dropout 5 / 5, layout of the heads 4 / 4; embedding
/// 14 / 12, tables 4 / 6 (rows read, vectors written; gradients added to rows), one launch for all of them, as FBGEMM's
/// batched lookups; memory 4 / 2; scores of distances 14 / 14 (a shift 4, a sum 6, a mask 4 each way) and 4 / 4 for
/// each of two vectors added to the queries; a slice reads and writes its channels, its gradient all channels; the
/// interaction of vectors is a batched product, its square written and half of it picked, 4 / 4; with autocast softmax
/// 14 / 18, dropout 15 / 15 (read and written in fp32, casts of 6 each way); batch normalisation 6 / 10 (statistics are
/// a pass of their own); others read and write once. Backward of a product: two products, of the input's gradient (M,
/// K, N) and of the weights' (K, N, M), and the bias' sum, 2. Fused attention: 2 T^2 (key size + value size) FLOPs per
/// head and sequence, half when causal, backward 2.5 times. Convolutions: implicit products of (pixels out) x (filters)
/// x (kernel^2 x channels / groups), per group; depthwise ones stream. fp8: inputs and gradients of dense layers are
/// cast and transposed, both layouts being needed: share.cast_bytes, of the part that is cast here.
LayerOperators operators_of(const Layer& layer, const OperatorShare& share, Precision precision);

/// The two laws. Products: tiles of 256x128, 128x256, 128x128, 128x64 and 64x64 (shares .97 for 128x128, .88, .72 for
/// the smaller: fit to published rates), split along K up to 8 ways; x = tiles / multiprocessors, at least 1, not
/// rounded up; time = x 2 tile (K + k0) / (gemm_share peak / multiprocessors), the fastest of them; without a number of
/// multiprocessors 2 M N K (K + k0) / (K gemm_share peak). k0 is gemm_k0 in 16 bits and tf32, less in fp32 without
/// matrix units (x rate x bytes, of those in 16 bits). Never below its bytes, nor without gemm_launch. Streaming:
/// kernel_launch + bytes / (memory_share bandwidth). Attention: flops / (share x peak) + kernel_launch, never below its
/// bytes.
Seconds operator_time(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision);
/// What of it no work is done in: gemm_launch or kernel_launch of each of its launches.
Seconds launch_time(const Operator& op, const DeviceLaw& law);
/// 2 M N K count, or flops; 0 for streaming.
Flops flops_of(const Operator& op);

}  // namespace orrery
