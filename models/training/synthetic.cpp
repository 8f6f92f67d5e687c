#include "models/training/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {
namespace {

std::vector<double> class_means(const SyntheticOptions& options, std::uint64_t seed) {
  Random random = Random::derived(seed, "synthetic means");
  std::vector<double> means(static_cast<std::size_t>(options.classes * options.shape.count()));
  for (double& mean : means) mean = 0.5 + options.spread * random.normal();
  return means;
}

}  // namespace

Samples synthetic_samples(const SyntheticOptions& options, std::uint64_t seed, std::string_view purpose) {
  const std::vector<double> means = class_means(options, seed);
  Random random = Random::derived(seed, fmt::format("synthetic {}", purpose));
  const auto size = static_cast<std::size_t>(options.shape.count());
  Samples samples;
  samples.inputs.reserve(options.samples * size);
  samples.labels.reserve(options.samples);
  for (std::size_t sample = 0; sample < options.samples; ++sample) {
    const std::size_t label = sample % static_cast<std::size_t>(options.classes);
    samples.labels.push_back(static_cast<std::int32_t>(label));
    for (std::size_t pixel = 0; pixel < size; ++pixel) {
      const double value = means[label * size + pixel] + options.noise * random.normal();
      samples.inputs.push_back(static_cast<float>(std::clamp(value, 0.0, 1.0)));
    }
  }
  return samples;
}

}  // namespace orrery
