// The degrees of a published row: devices, and how they are shared out over tp, pp, cp, dp and experts.
#pragma once

#include "analysis/validation/measured/row_case.hpp"
#include "models/layouts/blocks.hpp"

namespace orrery {

/// As the row says, else tp x pp x cp x dp, with a word about it. Throws RowSkipped where neither devices nor dp stand
/// there.
std::int64_t devices_of(RowCase& target, const MeasuredRow& row);

/// Sets tp, pp, cp, ep, dp and zero_stage. A blank tp or pp is what the other figures leave for it; else 1 on one
/// device, where states are sharded (zero_stage 3) and in networks that are no transformers; else it is open, and 1
/// until it is chosen. Throws RowSkipped where the product is not the number of devices.
void set_degrees(RowCase& target, const MeasuredRow& row, std::int64_t devices);

/// Layouts with every power of two in the place of an open tp (up to a node) and an open pp (up to 16).
std::vector<Layout> with_degrees(const RowCase& open);

/// Groups of experts that span tensor ranks have whole experts (Megatron-Core's recipes: expert_tensor_parallel_size
/// 1); else 0.
int expert_split(const Layout& layout);

/// Software is told by a list which layers stand where the chunks do not divide them (Megatron-Core's
/// pipeline-model-parallel-layout).
Chunks chunks_of(const BlockSequence& sequence, const Layout& layout);

}  // namespace orrery
