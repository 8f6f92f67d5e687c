// What one micro-batch leaves in a block until its backward pass.
#pragma once

#include "models/layouts/block_share.hpp"
#include "models/layouts/blocks.hpp"
#include "models/layouts/selective_layers.hpp"

namespace orrery {

/// Of one number of a product's input that is kept as it was cast; 0: the tensor itself stays.
double cast_operand_bytes(const TrainingJob& job);

/// Activations of one rank: without recomputation, with that of selective_layers(), with that of all but
/// saved_operators(), and with that of the whole block; in a block that ends in the loss also what its gradient takes
/// beside them.
struct KeptInBlock {
  Bytes all, selective, operators, full;
  Bytes logit_gradients;
};
KeptInBlock kept_in(const Block& block, const TrainingJob& job, const BlockShares& shares, const Layout& layout,
                    const LayerMarks& marks);

}  // namespace orrery
