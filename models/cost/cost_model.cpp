#include "models/cost/cost_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orrery {

std::string_view name_of(OptimizerKind kind) {
  static constexpr std::array<std::string_view, 7> names = {"sgd",   "momentum", "nesterov", "adam",
                                                            "adamw", "lamb",     "adadelta"};
  return names.at(static_cast<std::size_t>(kind));
}

namespace {

struct OptimizerFacts {
  int states;
  Ranged FrameworkProfile::*bytes;
  double more_bytes;
  UnfusedUpdate unfused;
};

/// In the order of OptimizerKind. Of unfused updates the bytes stand operation by operation.
const OptimizerFacts& facts_of(OptimizerKind kind) {
  constexpr auto sgd = &FrameworkProfile::optimizer_bytes_sgd, momentum = &FrameworkProfile::optimizer_bytes_momentum,
                 adam = &FrameworkProfile::optimizer_bytes_adam;
  constexpr double read_again = 3.0 * 4.0;  // three fp32 numbers
  static const std::array<OptimizerFacts, 7> facts = {{
      {0, sgd, 0, {1, 12}},                                  // weight
      {1, momentum, 0, {3, 8 + 12 + 12}},                    // velocity: multiply, add; weight
      {1, momentum, 0, {4, 8 + 12 + 12 + 12}},               // momentum's, and what is added to the gradient
      {2, adam, 0, {8, 2 * (8 + 12) + 8 + 8 + 8 + 16}},      // mean 2, mean square 2, square root, divide, add, weight
      {2, adam, 0, {9, 2 * (8 + 12) + 8 + 8 + 8 + 16 + 8}},  // adam's, and the decay
      // mean 2, mean square 2, direction 4, two norms of 2 each, weight
      {2, adam, read_again, {13, 2 * (8 + 12) + 8 + 8 + 12 + 12 + 2 * (8 + 4) + 12}},
      // mean square 2, two of add and square root, divide, multiply, weight, square of steps 2
      {2, adam, 0, {11, 8 + 12 + 2 * (8 + 8) + 12 + 12 + 12 + 8 + 12}},
  }};
  return facts.at(static_cast<std::size_t>(kind));
}

}  // namespace

int optimizer_states(OptimizerKind kind) {
  return facts_of(kind).states;
}

double optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind) {
  const OptimizerFacts& facts = facts_of(kind);
  return (framework.*facts.bytes).value + facts.more_bytes;
}

double mixed_optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind) {
  const OptimizerFacts& facts = facts_of(kind);
  const bool is_adam = facts.bytes == &FrameworkProfile::optimizer_bytes_adam;
  return is_adam ? framework.optimizer_bytes_adam_mixed.value + facts.more_bytes : optimizer_bytes(framework, kind);
}

UnfusedUpdate unfused_update(OptimizerKind kind) {
  return facts_of(kind).unfused;
}

namespace {

/// Whether a pass starts no kernel at all.
bool is_nothing(const Layer& layer, Pass pass) {
  return pass == Pass::optimizer ? trainable_parameters(layer) == 0 : is_view(layer.kind);
}

}  // namespace

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

Seconds CostModel::time(const Layer& layer, Pass pass, double samples, const Device& device, Share share) const {
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
