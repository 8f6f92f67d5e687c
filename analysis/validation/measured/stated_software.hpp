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
/// rest is compiled ("eager loss"), or piece by piece ("tiled loss").
std::vector<std::string> set_stated_software(FrameworkProfile& software, const MeasuredRow& row);

}  // namespace orrery
