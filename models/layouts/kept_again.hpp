// Tensors that several blocks keep for their backward passes: on one device each is there once.
#pragma once

#include <cstddef>
#include <vector>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/blocks.hpp"
#include "models/layouts/selective_layers.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// A tensor that a block keeps, and the last one before it that keeps it: a ReLU's output is the next convolution's
/// input, an encoder's output is read by every block of the decoder.
struct KeptAgain {
  struct Keeper {
    std::size_t block = 0, layer = 0;
    double Share::*part = &Share::input;  // of the layer, that a rank keeps
    double numbers = 0;                   // per sample, whole
  };
  Keeper before, here;
};

/// In the order of the blocks, which are all of the job's network. Who keeps which tensors: estimate_memory().
std::vector<KeptAgain> tensors_kept_again(const TrainingJob& job, const std::vector<Block>& blocks,
                                          const LayerMarks& marks);

}  // namespace orrery
