#include "models/cost/cost_model.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Whether a pass starts no kernel at all.
bool is_nothing(const Layer& layer, Pass pass) {
  return pass == Pass::optimizer ? trainable_parameters(layer) == 0 : is_view(layer.kind);
}

}  // namespace

CostModel::CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer, DeviceLaws laws)
    : framework_(std::move(framework)), precision_(precision), optimizer_(optimizer), laws_(std::move(laws)) {}

CostModel::CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer)
    : framework_(std::move(framework)), precision_(precision), optimizer_(optimizer) {}

CostModel::CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer,
                     const StepProfile& profile, Device host, int threads, const BatchCut& cut)
    : framework_(std::move(framework)),
      precision_(precision),
      optimizer_(optimizer),
      measured_(MeasuredTimes(profile, threads, cut)),
      host_(std::move(host)),
      profile_notes_(profile.notes) {
  if (host_->memory_bandwidth.value() > 0.0) return;
  Problem problem;
  problem.key = "workload.host";
  problem.what = "the memory bandwidth of device \"" + host_->id + "\" is unknown";
  problem.why = "replay scales layers that are bound by memory by it";
  problem.suggestion = "measure it with `orrery profile --device`";
  throw InvalidInput({problem});
}

Bytes CostModel::traffic(const Layer& layer, Pass pass, double samples, Share share, Precision precision) const {
  if (pass != Pass::optimizer) return pass_bytes(layer, pass, samples, share, precision);
  const double own = static_cast<double>(trainable_parameters(layer)) * share.work;
  return Bytes(own * optimizer_bytes(framework_, optimizer_));
}

Seconds CostModel::work(const Layer& layer, Pass pass, double samples, const Device& device, Share share,
                        Precision precision) const {
  Seconds seconds;
  if (device.memory_bandwidth.value() > 0.0) {
    seconds = traffic(layer, pass, samples, share, precision) /
              (device.memory_bandwidth * framework_.memory_efficiency.value);
  }
  if (pass == Pass::optimizer) return seconds;
  const LayerCost cost = layer_cost(layer);
  const Flops flops = (pass == Pass::forward ? cost.forward : cost.backward) * (samples * share.work);
  if (flops.value() == 0.0) return seconds;
  return std::max(seconds, flops / (device.peak_for(precision) * device.gemm_fraction));
}

Seconds CostModel::roofline(const Layer& layer, Pass pass, double samples, const Device& device, Share share) const {
  if (is_nothing(layer, pass)) return Seconds();
  return work(layer, pass, samples, device, share, precision_) + Seconds(framework_.kernel_overhead_us.value * micro);
}

LayerTimes CostModel::times(const LayerGraph& graph, const Device& device, const DeviceWork& work) const {
  ORRERY_EXPECT(work.shares.empty() || work.shares.size() == graph.layers.size());
  if (laws_) {
    const DeviceLaw law = laws_->of(device);
    return operator_times(graph, {framework_, precision_, optimizer_, device, law}, work);
  }
  const std::vector<bool> has_backward = needs_gradient(graph);
  LayerTimes times;
  for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      const Share share = work.shares.empty() ? Share{} : work.shares[i];
      const bool is_left_out = pass == Pass::backward && !has_backward[i];
      of(times.device, pass)
          .push_back(is_left_out ? Seconds() : time(graph.layers[i], pass, work.samples, device, share));
    }
  }
  return times;
}

Seconds CostModel::time(const Layer& layer, Pass pass, double samples, const Device& device, Share share) const {
  ORRERY_EXPECT(!laws_);
  if (!measured_) return roofline(layer, pass, samples, device, share);
  if (pass == Pass::optimizer && is_nothing(layer, pass)) return Seconds();
  const bool on_host = device.id == host_->id;
  const Seconds measured(measured_->seconds(layer.name, pass, samples));
  const Seconds whole = work(layer, pass, samples, *host_, Share{}, Precision::fp32);
  if (whole.value() == 0.0) return on_host ? measured * share.work : Seconds();
  const Seconds scaled = measured * (work(layer, pass, samples, device, share, precision_) / whole);
  return on_host ? scaled : scaled + Seconds(framework_.kernel_overhead_us.value * micro);
}

}  // namespace orrery
