// A layer's kernels as a framework launches them on a device: how they are cut, what they take there, and what its host
// does for them.
#pragma once

#include <vector>

#include "models/cost/framework.hpp"
#include "models/cost/operators.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/device_law.hpp"

namespace orrery {

/// A layer that one device works on alone, as the framework cuts it into kernels: `samples` of a micro-batch, every
/// expert of a mixture with them.
OperatorShare whole_layer(const Layer& layer, double samples, const FrameworkProfile& framework);

/// Of a layer's products: the job's, but fp8 leaves the products of the logits in 16 bits (Transformer Engine in
/// Megatron-Core, torchao: their fp8 covers the layers of the blocks).
Precision product_precision(Precision job, const LayerGraph& graph, const Layer& layer);

/// Kernels that follow one another: on the device, the launches in that, and the calls that the host makes for them (a
/// recurrent layer's tokens are one).
struct KernelRun {
  Seconds time, launches;
  double calls = 0;
};

/// All that it is made of must outlive it.
struct FrameworkKernels {
  const FrameworkProfile& framework;
  const Device& device;
  const DeviceLaw& law;

  /// operator_time() of each, divided by the shares of the laws that the software reaches (kernel_efficiency; fused
  /// attention of its generation; sustained_share of products), `slowness` times as long. Depthwise convolutions take
  /// depthwise_slowness times their bytes.
  [[nodiscard]] KernelRun run(const Layer& layer, const std::vector<Operator>& operators, Precision precision,
                              double slowness) const;

 private:
  [[nodiscard]] double reached(const Operator& op) const;
};

/// What its host takes for so many calls of a forward or backward pass, and for asking for the products of so many
/// experts in each; without half_host_microbatch().
Seconds host_forward(const FrameworkProfile& framework, double calls, double experts);
Seconds host_backward(const FrameworkProfile& framework, double calls, double experts);
/// What it takes once per pass of a micro-batch.
Seconds half_host_microbatch(const FrameworkProfile& framework);

}  // namespace orrery
