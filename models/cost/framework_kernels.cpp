#include "models/cost/framework_kernels.hpp"

#include "models/cost/attention_operators.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

/// Of one pass over so many experts.
Seconds routing_time(const FrameworkProfile& framework, double experts) {
  return Seconds(0.5 * framework.expert_host_ms.value * 1e-3 * experts);
}

}  // namespace

OperatorShare whole_layer(const Layer& layer, double samples, const FrameworkProfile& framework) {
  OperatorShare share;
  share.samples = samples;
  share.logit_bytes = framework.logit_bytes.value;
  share.cast_bytes = framework.cast_bytes.value;
  share.attention = is_fused(layer, framework) ? AttentionKernel::flash : AttentionKernel::unfused;
  share.scores = framework.fp32_scores.value > 0.5 ? ScoreFormat::autocast : ScoreFormat::as_kept;
  if (layer.kind == LayerKind::mixture_of_experts) {
    share.experts = number(layer.experts);
    share.expert_visits = samples * number(layer.in.height) * number(layer.experts_per_token);
  }
  return share;
}

Precision product_precision(Precision job, const LayerGraph& graph, const Layer& layer) {
  return job == Precision::fp8 && is_head(graph, layer) ? Precision::bf16 : job;
}

double FrameworkKernels::reached(const Operator& op) const {
  const bool is_fused = op.kind == Operator::Kind::attention_forward || op.kind == Operator::Kind::attention_backward;
  const double fused = is_fused ? fused_attention_share(law, framework.flash_attention.value) : 1.0;
  const double sustained = op.kind == Operator::Kind::product ? law.sustained_share.value : 1.0;
  return framework.kernel_efficiency.value * fused * sustained;
}

KernelRun FrameworkKernels::run(const Layer& layer, const std::vector<Operator>& operators, Precision precision,
                                double slowness) const {
  const bool is_one_call = is_recurrent(layer.kind);
  const double moving = is_depthwise(layer) ? framework.depthwise_slowness.value : 1.0;
  KernelRun run;
  for (const Operator& op : operators) {
    const double slow = slowness / reached(op);
    const Seconds launch = launch_time(op, law);
    const Seconds whole = operator_time(op, device, law, precision);
    run.time += (launch + (whole - launch) * moving) * slow;
    run.launches += launch * slow;
    run.calls += is_one_call ? 1.0 : op.launches;
  }
  return run;
}

Seconds host_forward(const FrameworkProfile& framework, double calls, double experts) {
  return Seconds(calls * framework.host_forward_us.value * micro) + routing_time(framework, experts);
}

Seconds host_backward(const FrameworkProfile& framework, double calls, double experts) {
  return Seconds(calls * framework.host_backward_us.value * micro) + routing_time(framework, experts);
}

Seconds half_host_microbatch(const FrameworkProfile& framework) {
  return Seconds(0.5 * framework.host_microbatch_ms.value * 1e-3);
}

}  // namespace orrery
