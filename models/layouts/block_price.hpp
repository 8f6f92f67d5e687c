// What one micro-batch costs in one block, for one rank of a layout.
#pragma once

#include "models/layouts/blocks.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/library_paths.hpp"
#include "models/layouts/selective_layers.hpp"
#include "models/layouts/tensor_split.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// The call and the wait for its stream. Assumed; tensor parallelism adds four kernels to a layer's forward pass (fit
/// to vTrain, MICRO 2024).
inline constexpr double launches_of_collective = 2;

/// What one rank sends in one micro-batch, by pass.
struct PassBytes {
  WireBytes forward, backward, recompute;
  [[nodiscard]] Bytes total() const { return forward.total() + backward.total() + recompute.total(); }
  PassBytes& operator+=(const PassBytes& other) {
    forward += other.forward, backward += other.backward, recompute += other.recompute;
    return *this;
  }
};

/// What recomputation of a part of the block's layers does again, and what of one micro-batch it keeps.
struct PartAgain {
  Seconds time;
  Seconds last_product;  // of it, as BlockPrice::last_product
  double kernels = 0;    // launches of the host
  bool attends = false;  // keys and values go round again
  Bytes kept;
};

/// Times without what the host adds; communication whole, hidden or not.
struct BlockPrice {
  Seconds forward, backward_input, backward_weights;
  Seconds launches;      // contained in these: launch_time() of their kernels
  Seconds last_product;  // forward, of a block that ends in a dense layer and sums: what no gradient needs
  PartAgain selective;   // selective_layers()
  PartAgain operators;   // all but saved_operators()
  Seconds tensor_forward, tensor_backward;
  Seconds gather_again;  // sequence parallelism: inputs of column layers gathered once more in backward
  Seconds context_forward, context_backward;  // left over by attention's computing
  Seconds expert_forward, expert_backward;
  /// Launches of the host; a collective counts as launches_of_collective, a recurrent layer's tokens as one call.
  double forward_kernels = 0, backward_kernels = 0;
  double experts = 0;                                          // of the rank, over the layers
  double weight_tensors = 0, expert_weight_tensors = 0;        // of one rank, that train
  double parameters = 0, expert_parameters = 0;                // of one rank, that train
  double frozen_parameters = 0, frozen_expert_parameters = 0;  // that do not
  double boundary_numbers = 0;                                 // that leave the block, whole, per micro-batch
  PassBytes tensor_sent, context_sent, expert_sent;            // recompute is for the layout to say
  Bytes kept, kept_full;                                       // activations of one micro-batch
  Bytes logit_gradients;                                       // of the block with the loss
};

/// `split`: of the whole graph over layout.tp devices (empty for tp = 1); `marks`: marks_of() it.
BlockPrice price_block(const TrainingJob& job, const Block& block, const TensorSplit& split, const Layout& layout,
                       const Paths& paths, const LayerMarks& marks);

}  // namespace orrery
