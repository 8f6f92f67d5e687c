// Copies chosen samples beside each other, as a LayerStack wants them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/dataset.hpp"
#include "models/training/layer_stack.hpp"

namespace orrery {

/// Gradients are computed in shards of this many samples and added in the order of the shards, whoever computes them:
/// so central and federated training, on any number of threads, add in the same order. Below about 32 samples the
/// products of small networks lose their speed.
inline constexpr std::size_t shard_samples = 32;

/// Numbers of one sample.
inline std::size_t sample_size(const Samples& samples) {
  return samples.inputs.size() / samples.count();
}

class SampleBatch {
 public:
  /// The samples at `indices`. The returned views are good until the next call.
  Batch gather(const Samples& samples, std::span<const std::size_t> indices);

 private:
  AlignedVector inputs_;
  std::vector<std::int32_t> labels_;
};

}  // namespace orrery
