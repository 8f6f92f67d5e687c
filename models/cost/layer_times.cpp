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

/// Nothing where there are no times.
Seconds sum_of(const std::vector<Seconds>& times, std::size_t first, std::size_t end) {
  if (times.empty()) return {};
  const auto begin = times.begin();
  return std::accumulate(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(end),
                         Seconds());
}

class OperatorTimes {
 public:
  OperatorTimes(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work)
      : graph_(graph),
        software_(software),
        work_(work),
        kernels_{software.framework, software.device, software.law},
        has_backward_(needs_gradient(graph)) {
    for (TimesByPass* times : {&times_.device, &times_.launches, &times_.host}) {
      for (std::vector<Seconds>& pass : *times) pass.resize(graph.layers.size());
    }
  }

  LayerTimes price() {
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      price_passes(i);
      price_update(i);
    }
    const FrameworkProfile& framework = software_.framework;
    times_.beside.pass = half_host_microbatch(framework);
    times_.beside.samples = Seconds(work_.samples * work_.passes * framework.host_sample_us.value * micro);
    times_.beside.between_steps = Seconds(framework.host_iteration_ms.value * 1e-3);
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
    set(Pass::forward, index, forward.time, forward.launches, host_forward(framework, forward.calls, share.experts));
    if (!has_backward_[index]) return;
    const KernelRun inputs = kernels_.run(layer, operators.backward_input, precision, head);
    const KernelRun weights = kernels_.run(layer, operators.backward_weights, precision, head);
    const double sums = trained(index) * gradient_sum_bytes(framework, software_.precision);
    set(Pass::backward, index, inputs.time + weights.time + streamed(sums), inputs.launches + weights.launches,
        host_backward(framework, inputs.calls + weights.calls, share.experts));
  }

  void set(Pass pass, std::size_t layer, Seconds device, Seconds launches, Seconds host) {
    of(times_.device, pass)[layer] = device;
    of(times_.launches, pass)[layer] = launches;
    of(times_.host, pass)[layer] = host;
  }

  [[nodiscard]] double trained(std::size_t index) const {
    return number(trainable_parameters(graph_.layers[index])) * share_of(index).work;
  }

  void price_update(std::size_t index) {
    const Layer& layer = graph_.layers[index];
    const FrameworkProfile& framework = software_.framework;
    const Seconds moving = streamed(trained(index) * update_bytes(framework, software_.optimizer, software_.precision));
    const bool is_fused = framework.host_update_us.value <= 0 || layer.frozen;
    const double kernels =
        is_fused ? 0.0 : number(weight_tensors(layer)) * unfused_update(software_.optimizer).operations;
    const Seconds launches(kernels * software_.law.kernel_launch_us.value * micro);
    set(Pass::optimizer, index, moving + launches, launches, Seconds(kernels * framework.host_update_us.value * micro));
  }

  const LayerGraph& graph_;
  const SoftwareOnDevice& software_;
  const DeviceWork& work_;
  FrameworkKernels kernels_;
  std::vector<bool> has_backward_;
  LayerTimes times_;
};

}  // namespace

LayerTimes operator_times(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work) {
  return OperatorTimes(graph, software, work).price();
}

ProcessTimes process_times(const LayerTimes& times, std::size_t first, std::size_t end,
                           const std::vector<bool>& again) {
  const auto device = [&](Pass pass) { return sum_of(times.of(pass), first, end); };
  const auto host = [&](Pass pass) { return sum_of(of(times.host, pass), first, end); };
  ProcessTimes process{device(Pass::forward), device(Pass::backward), {}, device(Pass::optimizer), {}, {}, {}};
  Seconds host_again;
  for (std::size_t i = first; i < end && !again.empty(); ++i) {
    if (!again[i]) continue;
    process.again += times.of(Pass::forward)[i];
    if (!times.host.front().empty()) host_again += of(times.host, Pass::forward)[i];
  }
  const Seconds ahead = process.forward - host(Pass::forward) - times.beside.pass;
  const Seconds ahead_back = process.backward + process.again - host(Pass::backward) - host_again - times.beside.pass;
  process.late_forward = std::max(Seconds(), ahead * -1.0);
  process.late_backward = std::max(Seconds(), ahead_back * -1.0);
  const Seconds early = std::max(Seconds(), ahead) + std::max(Seconds(), ahead_back);
  const Seconds late = host(Pass::optimizer) + times.beside.samples - early - process.update;
  process.late_update = std::max(Seconds(), late) + times.beside.between_steps;
  return process;
}

}  // namespace orrery
