// Which software a published row was measured with: the profile of models/cost/frameworks.csv that prices it.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/row_network.hpp"

namespace orrery {

/// Id of a framework profile. In this order: devices with compiled programs (TPU, Trainium, Gaudi); states sharded by
/// zero_stage 3 or FSDP, stage 2 by FSDP alone (the words DeepSpeed, offload, FSDP; else by year: DeepSpeed until 2021,
/// then FSDP); the words of Megatron-DeepSpeed and its users (vTrain, GPT-NeoX, BigScience, MT-NLG); convolutional
/// networks and BERT by data alone; NeMo's launcher (Megatron-LM 2021-22); the words NeMo, MegaScale; torchtitan; a
/// decoder by year: 2020 and before, until 2022, later, then PyTorch's own modules apart (the words PyTorch, Hugging
/// Face, lit-GPT without Megatron and Transformer Engine). On TPUs, Trainium, Gaudi, AMD's devices and of software
/// named in the row that is another (OneFlow, Alpa, JAX, ...) the profile stands in. `year`: of the row, or what stands
/// for it.
struct FrameworkChoice {
  enum class Fit : std::uint8_t { own, stand_in };
  std::string id;
  Fit fit = Fit::own;
};
FrameworkChoice framework_of(const MeasuredRow& row, const RowNetwork& network, double year);

}  // namespace orrery
