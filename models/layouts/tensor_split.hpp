// How each layer of a network is split over the devices of a tensor-parallel group, and what they must exchange for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/networks/layer_graph.hpp"
#include "sim/program/op.hpp"

namespace orrery {

/// column: each device makes a part of the outputs (units, channels, heads) from the whole input. row: each device
/// reads its part of the input and makes a part of every sum; the sums are added up. channelwise: each device works on
/// its channels alone. vocabulary: each device holds a part of the embedding table. replicated: every device does all
/// of it.
enum class SplitMode : std::uint8_t { replicated, column, row, channelwise, vocabulary };

/// A collective over the group, moving `numbers` per sample (the whole buffer, as Collective::bytes counts it).
struct TensorExchange {
  CollectiveKind kind = CollectiveKind::all_reduce;
  double numbers = 0;
  LayerId layer;  // the layer that causes it
};

struct LayerSplit {
  SplitMode mode = SplitMode::replicated;
  Share share;  // of the layer that one device has; row and vocabulary: the whole output, as a part of every sum
  std::vector<TensorExchange> before_forward, after_forward, before_backward;
  /// Of its output, per sample, what backward gathers once more where ranks keep parts of it (sequence parallelism):
  /// the gradients of the weights of column layers that read it need it whole, frozen ones have none.
  double gathered_again = 0;
};

struct TensorSplit {
  std::vector<LayerSplit> layers;
  /// Layers that stay whole though they have work to share, and why; where the logits are gathered.
  std::vector<std::string> notes;
};

/// The rules, after Megatron-LM (Shoeybi et al. 2019) for dense layers, attention and vocabulary, with the channel
/// split of convolutions:
/// - dense on a whole input: column; on a split input: row, with an all-reduce of its output;
/// - convolution and transposed convolution: by output channels, from the whole input;
/// - activations, dropout, pooling, batch normalisation, flatten, pixels as tokens, the last token, residual sums of
///   split operands, and attention (by heads; where there are more devices than heads of keys and values, and a
///   multiple of them, each of these stands on several devices) stay split; so do the normalisation of heads, each or
///   all together (one sum per token is left out), and what puts queries, keys and values side by side before attention
///   (the few rotary numbers that latent keys share over heads count as split with them);
/// - embedding tables: by units, each device holding some columns of every table;
/// - embedding: by rows of the vocabulary (padded to a multiple of the group), with an all-reduce of its output;
/// - layer and rms normalisation, position embedding, rows as tokens, reshapes, slices, interactions of vectors,
///   other concatenation, recurrent layers, the loss and layers whose units the group does not divide: replicated;
/// - a split output that must be whole is all-gathered once, before its first whole reader; so are the logits, before
///   the loss, which Megatron-LM leaves split (its loss exchanges a maximum and two sums per token only);
/// - backward, column layers leave each device with a part of every sum of their input's gradient: reduce-scattered
///   when that input was gathered, else all-reduced; once, before the backward pass of the layer that made it. What
///   lies before the first weights needs no gradient.
/// Contract: devices >= 2.
TensorSplit split_tensor(const LayerGraph& graph, int devices);

}  // namespace orrery
