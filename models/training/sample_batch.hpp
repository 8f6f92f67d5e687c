// Chosen samples copied beside each other, as the layers want them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/augmentation.hpp"
#include "models/training/dataset.hpp"
#include "models/training/shard_runner.hpp"

namespace orrery {

/// Input numbers of one sample.
std::size_t sample_size(const Samples& samples);

/// All samples as one batch, without a copy; Batch::part() cuts it.
Batch whole(const Samples& samples);

/// Space for one batch: allocates only when a batch is larger than all before it.
class SampleBatch {
 public:
  /// The samples at `indices` in that order: inputs, labels and targets. The views are good until the next call. An
  /// index beyond the samples breaks a promise.
  Batch gather(const Samples& samples, std::span<const std::size_t> indices);
  /// The same with every input changed as `augmenter` draws it for this epoch (0-based).
  Batch gather(const Samples& samples, std::span<const std::size_t> indices, const Augmenter& augmenter,
               std::int64_t epoch);

 private:
  template <class CopyInput>
  Batch gather_inputs(const Samples& samples, std::span<const std::size_t> indices, CopyInput copy_input);

  AlignedVector inputs_, numbers_;
  std::vector<std::int32_t> labels_;
};

}  // namespace orrery
