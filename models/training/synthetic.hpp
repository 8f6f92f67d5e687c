// Made-up data that a network can learn: no download, the same everywhere.
#pragma once

#include <cstdint>
#include <string_view>

#include "models/training/dataset.hpp"

namespace orrery {

/// A Gaussian mixture: each class has a mean image of 0.5 + spread x normal per pixel, each sample is its class's mean
/// plus noise x normal per pixel, cut to [0, 1]. Classes take turns, so all are equally large.
struct SyntheticOptions {
  std::size_t samples = 6000;
  Shape shape{28, 28, 1};
  std::int64_t classes = 10;
  // Two means lie sqrt(2 x 784) x 0.15 = 5.9 apart, 12 times the noise along the line between them: separable, but a
  // network has to add up hundreds of pixels to see it.
  double spread = 0.15, noise = 0.5;
  /// Writers: each adds an image of its own, group_spread x normal per pixel, to whatever it draws. Samples take turns
  /// through the writers, one round of all classes each. 0: none, and Samples::groups stays empty.
  std::size_t groups = 0;
  double group_spread = 0.15;
};

/// The data set synthetic-writers: 60 samples, six of each class, from each of 100 writers.
inline constexpr SyntheticOptions synthetic_writers{.groups = 100};

/// Same seed: same means and writers, so that several sets (named by `purpose`: train, test) come from one mixture.
Samples synthetic_samples(const SyntheticOptions& options, std::uint64_t seed, std::string_view purpose);

}  // namespace orrery
