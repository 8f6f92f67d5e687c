#include "models/training/sample_batch.hpp"

#include <algorithm>

namespace orrery {

Batch SampleBatch::gather(const Samples& samples, std::span<const std::size_t> indices) {
  const std::size_t size = sample_size(samples);
  inputs_.resize(indices.size() * size);
  labels_.resize(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::copy_n(samples.inputs.begin() + static_cast<std::ptrdiff_t>(indices[i] * size), size,
                inputs_.begin() + static_cast<std::ptrdiff_t>(i * size));
    labels_[i] = samples.labels[indices[i]];
  }
  return {inputs_, labels_};
}

}  // namespace orrery
