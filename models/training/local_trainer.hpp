// One client's training of a FedAvg round, with scratch space that serves client after client.
#pragma once

#include <cstddef>
#include <span>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/layer_stack.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"

namespace orrery {

class LocalTrainer {
 public:
  explicit LocalTrainer(const LayerGraph& graph);

  /// As train_local().
  LocalResult train(std::span<const float> weights, const Samples& samples, std::span<const std::size_t> indices,
                    const LocalOptions& options, Random random);

 private:
  /// gradient_ = mean over the samples at `indices`, added shard by shard.
  BatchResult compute_gradient(const Samples& samples, std::span<const std::size_t> indices);

  LayerStack stack_;
  SampleBatch batch_;
  AlignedVector weights_, gradient_, shard_gradient_;
};

}  // namespace orrery
