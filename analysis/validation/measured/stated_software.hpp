// What a row's notes say of its software beyond its name.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "models/cost/framework.hpp"

namespace orrery {

/// Sets the constants that the notes speak of and returns which, "node_dispatch 0": tokens beyond a capacity are
/// dropped (experts then work on fixed sizes, which the host need not wait for, and tokens go by an all-to-all:
/// Megatron-Core), go by DeepEP or HybridEP, or beside other micro-batches; gradients are reduced (and kept) in 16
/// bits; tensor-parallel products run beside their collectives; the loss is computed by separate kernels though the
/// rest is compiled ("eager loss"), by kernels that put its gradient in the place of the logits ("TE loss": Transformer
/// Engine's) or need a buffer besides ("compiled Megatron loss": Megatron-Core's), or piece by piece ("tiled loss");
/// nothing hides exchanges
/// ("shows tensor", "shows pipeline", "shows gradients"); attention is FlashAttention 1 ("FA1"). The source speaks,
/// too: DeepSpeed and NVIDIA/DeepLearningExamples update all tensors in a few kernels. What changes nothing is not
/// told.
std::vector<std::string> set_stated_software(FrameworkProfile& software, const MeasuredRow& row);
/// The names of the constants that the notes speak of, whether that changes them or not.
std::vector<std::string> stated_constants(const MeasuredRow& row);

}  // namespace orrery
