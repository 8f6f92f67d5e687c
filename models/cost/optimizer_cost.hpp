// Optimizers by what they keep and move: numbers per parameter, bytes of an update.
#pragma once

#include <cstdint>
#include <string_view>

#include "models/cost/framework.hpp"
#include "topologies/precision.hpp"

namespace orrery {

enum class OptimizerKind : std::uint8_t { sgd, momentum, nesterov, adam, adamw, lamb, adadelta };
std::string_view name_of(OptimizerKind kind);
/// Numbers kept per parameter: momentum and nesterov one, adam, adamw, lamb and adadelta two.
int optimizer_states(OptimizerKind kind);
/// Bytes one step moves per parameter in fp32: the framework's row; nesterov as momentum, adamw and adadelta as adam.
/// lamb: adam, and 12 more, because the norms of a whole layer come before its update: weights, mean and mean square
/// are read again.
double optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind);
/// The same beside weights in 16 bits: with their copy, loss scaling, norm and clipping, where the framework has a row
/// of that (adam and what is like it).
double mixed_optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind);
/// What an update moves per parameter: of these two by the precision's width, or that of an update that is not fused
/// where the framework has a host_update_us; in fp64 twice what it is in fp32.
double update_bytes(const FrameworkProfile& framework, OptimizerKind kind, Precision precision);
/// Of a gradient as replicas send it: the framework's gradient_wire_bytes where weights have 16 bits, else as in
/// memory.
double gradient_wire_bytes(const FrameworkProfile& framework, Precision precision);
/// What sums of gradients move per parameter and micro-batch that are kept apart from gradients in bf16 (fp8: as bf16).
double gradient_sum_bytes(const FrameworkProfile& framework, Precision precision);
/// An update that is not fused: operations on each weight tensor, kernels that PyTorch's loops start without its
/// multi-tensor ones (torch.optim until 1.13, counted; lamb: as written with such operations), and the bytes that they
/// read and write per parameter in fp32.
struct UnfusedUpdate {
  double operations, bytes;
};
UnfusedUpdate unfused_update(OptimizerKind kind);

}  // namespace orrery
