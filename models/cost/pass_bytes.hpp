// Bytes that one pass of a layer moves between a device and its memory.
#pragma once

#include "models/cost/layer_cost.hpp"
#include "sim/base/units.hpp"
#include "topologies/precision.hpp"

namespace orrery {

/// A share of a layer (tensor split): `work` scales FLOPs, weights and what only the layer sees, `input` the input it
/// reads, `output` the output it writes. An output goes with the work unless each device makes a part of every sum (row
/// and vocabulary split): then it is 1.
struct Share {
  double work = 1.0;
  double input = 1.0;
  double output = work;
};

/// Bytes of one weight or activation in memory: as bytes_per_number, but 8-bit formats are formats of products only;
/// what is kept has 16 bits (Micikevicius et al. 2022, FP8 Formats for Deep Learning: fp8 operands, 16-bit tensors).
Bytes bytes_in_memory(Precision precision);

/// Forward:  samples x (in x share.input + out x share.output + inner x share.work) + weights x share.work
/// Backward: samples x (the same, as gradients, + what forward kept) + 2 x weights x share.work (read them, write their
/// gradients; a frozen layer reads them only). Times bytes_in_memory; masks are one byte each. Every tensor is read or
/// written once: what fits in a cache between layers is not credited, but the recurrent weights of lstm and gru are
/// taken to stay in a cache from token to token. Not for Pass::optimizer, whose bytes belong to the framework.
Bytes pass_bytes(const Layer& layer, Pass pass, double samples, Share share, Precision precision);

}  // namespace orrery
