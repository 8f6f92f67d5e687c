#include "analysis/validation/measured/stated_software.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/validation/measured/words.hpp"

namespace orrery {
namespace {

Ranged low_end(const Ranged& constant) {
  return Ranged(constant.low);
}
Ranged as_it_is(const Ranged& constant) {
  return Ranged(constant.value);
}
Ranged high_end(const Ranged& constant) {
  return Ranged(constant.high);
}
template <int value>
Ranged exactly(const Ranged& /*constant*/) {
  return Ranged(value);
}
/// Passes that CUDA graphs start whole leave the host nothing to run ahead with: its work between steps shows (NeMo's
/// trainer loop, norms and clipping, starting the update). ms, fitted to the steps of 0.07 to 1.2 s of A-MLP8B.
Ranged between_graphs(const Ranged& /*constant*/) {
  return {37, 20, 45};
}

struct Statement {
  const char* words;
  Ranged FrameworkProfile::*constant;
  Ranged (*value)(const Ranged&);
};

/// Of several that speak of a constant the first counts.
constexpr std::array statements = {
    Statement{"token drop", &FrameworkProfile::expert_host_ms, low_end},
    Statement{"token drop", &FrameworkProfile::node_dispatch, exactly<0>},
    Statement{"alltoall dispatcher", &FrameworkProfile::node_dispatch, exactly<0>},
    Statement{"deepep", &FrameworkProfile::node_dispatch, exactly<1>},
    Statement{"hybridep", &FrameworkProfile::node_dispatch, exactly<1>},
    Statement{"a2a overlap", &FrameworkProfile::expert_overlap, high_end},
    // Weights, gradients and states of the optimizer in 16 bits: an update reads and writes all but gradients, and
    // reads these once more for their norm.
    Statement{"pure-bf16", &FrameworkProfile::master_bytes, exactly<0>},
    Statement{"pure-bf16", &FrameworkProfile::state_bytes, exactly<2>},
    Statement{"pure-bf16", &FrameworkProfile::shard_bytes, exactly<2>},
    Statement{"pure-bf16", &FrameworkProfile::bf16_gradient_bytes, exactly<2>},
    Statement{"pure-bf16", &FrameworkProfile::gradient_wire_bytes, exactly<2>},
    Statement{"pure-bf16", &FrameworkProfile::optimizer_bytes_adam_mixed, exactly<16>},
    Statement{"kept reduced bf16", &FrameworkProfile::bf16_gradient_bytes, exactly<2>},
    Statement{"reduced bf16", &FrameworkProfile::gradient_wire_bytes, exactly<2>},
    Statement{"shows tensor", &FrameworkProfile::tensor_overlap, exactly<0>},
    Statement{"shows pipeline", &FrameworkProfile::blocking_transfers, exactly<1>},
    Statement{"shows gradients", &FrameworkProfile::gradient_overlap, exactly<0>},
    Statement{"shows gradients", &FrameworkProfile::parameter_overlap, exactly<0>},
    Statement{"unfused attention", &FrameworkProfile::flash_attention, exactly<0>},
    // Of fixed sizes, which CUDA graphs need.
    Statement{"token drop", &FrameworkProfile::host_forward_us, low_end},
    Statement{"token drop", &FrameworkProfile::host_backward_us, low_end},
    Statement{"cuda-graphs", &FrameworkProfile::host_forward_us, low_end},
    Statement{"cuda-graphs", &FrameworkProfile::host_backward_us, low_end},
    Statement{"nemo cuda-graphs", &FrameworkProfile::host_iteration_ms, between_graphs},
    Statement{"cuda-graph", &FrameworkProfile::host_forward_us, low_end},
    Statement{"cuda-graph", &FrameworkProfile::host_backward_us, low_end},
    Statement{"fa1", &FrameworkProfile::flash_attention, exactly<1>},
    Statement{"flashattention-2", &FrameworkProfile::flash_attention, exactly<2>},
    Statement{"flashattention-3", &FrameworkProfile::flash_attention, exactly<3>},
    Statement{"flashattention-4", &FrameworkProfile::flash_attention, exactly<3>},
    Statement{"cudnn-attention", &FrameworkProfile::flash_attention, exactly<3>},
    Statement{"asynchronous tp", &FrameworkProfile::tensor_overlap, high_end},
    Statement{"asynchronous tp", &FrameworkProfile::sequence_copies, low_end},
    // Counted: its kernels read the logits for the maximum and the sum, write their gradient in their place, and scale
    // it in backward, in 16 bits (transformer_engine/pytorch/triton/cross_entropy.py).
    Statement{"te-loss", &FrameworkProfile::kept_logit_bytes, exactly<2>},
    Statement{"te-loss", &FrameworkProfile::logit_gradient_bytes, exactly<0>},
    Statement{"te-loss", &FrameworkProfile::split_logit_gradient_bytes, exactly<0>},
    Statement{"te-loss", &FrameworkProfile::logit_bytes, exactly<10>},
    // Megatron-Core's compiled one holds an fp32 buffer besides (as the high end of modern's counts it).
    Statement{"compiled-megatron-loss", &FrameworkProfile::logit_gradient_bytes, exactly<6>},
    Statement{"compiled-megatron-loss", &FrameworkProfile::split_logit_gradient_bytes, exactly<6>},
    // As the profile `pytorch` counts it.
    Statement{"eager loss", &FrameworkProfile::kept_logit_bytes, exactly<4>},
    Statement{"eager loss", &FrameworkProfile::logit_gradient_bytes, exactly<10>},
    Statement{"eager loss", &FrameworkProfile::split_logit_gradient_bytes, exactly<14>},
    Statement{"update tensor by tensor", &FrameworkProfile::host_update_us, as_it_is},
    // apex's and DeepSpeed's optimizers update all tensors in a few kernels.
    Statement{"deepspeed", &FrameworkProfile::host_update_us, exactly<0>},
    // DeepSpeed's transformer kernels keep scores in 16 bits (its post on the fastest BERT training, 2020).
    Statement{"deepspeed", &FrameworkProfile::fp32_scores, exactly<0>},
    Statement{"deeplearningexamples", &FrameworkProfile::host_update_us, exactly<0>},
    // Its data are on the device from the start, or decoded there (DALI).
    Statement{"deeplearningexamples", &FrameworkProfile::host_sample_us, exactly<0>},
    Statement{"tiled loss", &FrameworkProfile::whole_logits, exactly<0>},
};

std::string_view name_of(Ranged FrameworkProfile::*constant) {
  const std::vector<FrameworkConstant>& all = framework_constants();
  return std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.member == constant; })->name;
}

/// Of each constant the first one whose words the row has.
std::vector<const Statement*> statements_of(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.source + " " + row.notes);
  std::vector<const Statement*> found;
  for (const Statement& statement : statements) {
    if (!has_words(words, statement.words)) continue;
    const auto speaks_of_it = [&](const Statement* other) { return other->constant == statement.constant; };
    if (std::none_of(found.begin(), found.end(), speaks_of_it)) found.push_back(&statement);
  }
  return found;
}

}  // namespace

std::vector<std::string> set_stated_software(FrameworkProfile& software, const MeasuredRow& row) {
  std::vector<std::string> told;
  for (const Statement* statement : statements_of(row)) {
    Ranged& constant = software.*statement->constant;
    const Ranged before = constant;
    constant = statement->value(constant);
    if (!(constant == before)) told.push_back(fmt::format("{} {}", name_of(statement->constant), constant.value));
  }
  return told;
}

std::vector<std::string> stated_constants(const MeasuredRow& row) {
  std::vector<std::string> names;
  for (const Statement* statement : statements_of(row)) names.emplace_back(name_of(statement->constant));
  return names;
}

}  // namespace orrery
