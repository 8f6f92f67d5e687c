#include "models/cost/layer_times.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "models/cost/framework_kernels.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

/// Of a tensor split: a layer of which each device makes a part of every sum has a part of the inner dimension; rows of
/// a vocabulary cost what all of them do.
void narrow(OperatorShare& operators, const Share& share) {
  const bool sums = share.output > share.work;
  if (!sums) operators.work = operators.shared_work = share.work;
  if (sums) operators.input = share.input;
}

Seconds sum_of(const std::vector<Seconds>& times) {
  return std::accumulate(times.begin(), times.end(), Seconds());
}

/// Makes the layers take `more` in all, shared out by what they take.
void lengthen(std::vector<Seconds>& times, Seconds more) {
  const Seconds sum = sum_of(times);
  if (sum.value() <= 0 || more.value() <= 0) return;
  const double longer = 1.0 + more / sum;
  for (Seconds& time : times) time = time * longer;
}

class OperatorTimes {
 public:
  OperatorTimes(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work)
      : graph_(graph),
        software_(software),
        work_(work),
        kernels_{software.framework, software.device, software.law},
        has_backward_(needs_gradient(graph)) {
    for (std::vector<Seconds>& pass : times_.passes) pass.resize(graph.layers.size());
  }

  LayerTimes price() {
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      price_passes(i);
      price_update(i);
    }
    wait_for_host();
    return std::move(times_);
  }

 private:
  [[nodiscard]] Share share_of(std::size_t layer) const { return work_.shares.empty() ? Share{} : work_.shares[layer]; }

  [[nodiscard]] Seconds streamed(double bytes) const {
    const double bandwidth = software_.device.memory_bandwidth.value() * software_.law.memory_share.value;
    return Seconds(bandwidth > 0 ? bytes / bandwidth : 0.0);
  }

  void price_passes(std::size_t index) {
    const Layer& layer = graph_.layers[index];
    const FrameworkProfile& framework = software_.framework;
    const Precision precision = product_precision(software_.precision, graph_, layer);
    OperatorShare share = whole_layer(layer, work_.samples, framework);
    narrow(share, share_of(index));
    const double head = work_.shares.empty() && is_head(graph_, layer) ? framework.unsplit_head.value : 1.0;
    const LayerOperators operators = operators_of(layer, share, precision);
    const KernelRun forward = kernels_.run(layer, operators.forward, precision, head);
    times_.of(Pass::forward)[index] = forward.time;
    host_forward_ += host_forward(framework, forward.calls, share.experts);
    if (!has_backward_[index]) return;
    const KernelRun inputs = kernels_.run(layer, operators.backward_input, precision, head);
    const KernelRun weights = kernels_.run(layer, operators.backward_weights, precision, head);
    const bool is_summed = software_.precision == Precision::bf16 || software_.precision == Precision::fp8;
    const double sums = is_summed ? trained(index) * framework.bf16_sum_bytes.value : 0.0;
    times_.of(Pass::backward)[index] = inputs.time + weights.time + streamed(sums);
    host_backward_ += host_backward(framework, inputs.calls + weights.calls, share.experts);
  }

  [[nodiscard]] double trained(std::size_t index) const {
    return number(trainable_parameters(graph_.layers[index])) * share_of(index).work;
  }

  void price_update(std::size_t index) {
    const Layer& layer = graph_.layers[index];
    Seconds& time = times_.of(Pass::optimizer)[index];
    time = streamed(trained(index) * update_bytes(software_.framework, software_.optimizer, software_.precision));
    if (software_.framework.host_update_us.value <= 0 || layer.frozen) return;
    const double kernels = number(weight_tensors(layer)) * unfused_update(software_.optimizer).operations;
    time += Seconds(kernels * software_.law.kernel_launch_us.value * micro);
    host_update_ += Seconds(kernels * software_.framework.host_update_us.value * micro);
  }

  void wait_for_host() {
    const double hosts = work_.hosts;
    const Seconds once = half_host_microbatch(software_.framework) * hosts;
    const Seconds ahead = keep_to(times_.of(Pass::forward), host_forward_ + once) +
                          keep_to(times_.of(Pass::backward), host_backward_ + once);
    std::vector<Seconds>& update = times_.of(Pass::optimizer);
    host_update_ += Seconds(work_.samples * work_.passes * software_.framework.host_sample_us.value * micro) * hosts;
    const Seconds late = std::max(Seconds(), host_update_ - ahead - sum_of(update));
    lengthen(update, late + Seconds(software_.framework.host_iteration_ms.value * 1e-3) * hosts);
  }

  /// A pass is never faster than its host; by what it is ahead.
  static Seconds keep_to(std::vector<Seconds>& pass, Seconds host) {
    const Seconds device = sum_of(pass);
    lengthen(pass, host - device);
    return std::max(Seconds(), device - host);
  }

  const LayerGraph& graph_;
  const SoftwareOnDevice& software_;
  const DeviceWork& work_;
  FrameworkKernels kernels_;
  std::vector<bool> has_backward_;
  LayerTimes times_;
  Seconds host_forward_, host_backward_, host_update_;
};

}  // namespace

LayerTimes operator_times(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work) {
  return OperatorTimes(graph, software, work).price();
}

}  // namespace orrery
