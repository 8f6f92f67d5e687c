// Work added up: of blocks to a stage, of kernels to what a host takes for them.
#include <algorithm>

#include "models/cost/framework_kernels.hpp"
#include "models/layouts/judge_state.hpp"

namespace orrery {

Seconds HostKernels::forward_time(const FrameworkProfile& framework) const {
  return host_forward(framework, forward, experts);
}

Seconds HostKernels::backward_time(const FrameworkProfile& framework) const {
  return host_backward(framework, backward, experts_back) + host_forward(framework, again, experts_again);
}

Seconds host_pass(Seconds device, Seconds calls, const FrameworkProfile& framework) {
  return device + calls > Seconds() ? calls + half_host_microbatch(framework) : Seconds();
}

const UpdateTime& longer(const UpdateTime& one, const UpdateTime& other) {
  return one.total() < other.total() ? other : one;
}

PassTimes& PassTimes::operator+=(const PassTimes& other) {
  forward += other.forward, backward += other.backward;
  host_forward += other.host_forward, host_backward += other.host_backward;
  return *this;
}

Seconds weights_apart(const StageWork& stage, PipelineSchedule schedule) {
  return splits_backward(schedule) ? stage.backward_weights : Seconds();
}

StageWork& StageWork::operator+=(const StageWork& other) {
  forward += other.forward, backward_input += other.backward_input, backward_weights += other.backward_weights;
  recompute += other.recompute;
  gaps += other.gaps, late += other.late, late_back += other.late_back, lead += other.lead;
  weight_tensors += other.weight_tensors;
  expert_weight_tensors += other.expert_weight_tensors;
  tensor_forward += other.tensor_forward, tensor_backward += other.tensor_backward;
  tensor_recompute += other.tensor_recompute;
  context_forward += other.context_forward, context_backward += other.context_backward;
  context_recompute += other.context_recompute;
  expert_forward += other.expert_forward, expert_backward += other.expert_backward;
  expert_recompute += other.expert_recompute;
  tensor_hidden += other.tensor_hidden, tensor_hidden_backward += other.tensor_hidden_backward;
  expert_hidden += other.expert_hidden, expert_hidden_backward += other.expert_hidden_backward;
  parameters += other.parameters, expert_parameters += other.expert_parameters;
  forward_parameters += other.forward_parameters;
  frozen_parameters += other.frozen_parameters, frozen_expert_parameters += other.frozen_expert_parameters;
  boundary_numbers = other.boundary_numbers, returned = other.returned;
  tensor_sent += other.tensor_sent, context_sent += other.context_sent, expert_sent += other.expert_sent;
  activations += other.activations;
  largest_block = std::max(largest_block, other.largest_block);
  loss_block += other.loss_block, logit_gradients += other.logit_gradients;
  largest_parameters = std::max(largest_parameters, other.largest_parameters);
  blocks += other.blocks;
  return *this;
}

}  // namespace orrery
