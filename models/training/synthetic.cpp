#include "models/training/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {
namespace {

std::vector<double> normal_numbers(std::string_view what, std::size_t count, double mean, double deviation,
                                   std::uint64_t seed) {
  Random random = Random::derived(seed, what);
  std::vector<double> numbers(count);
  for (double& number : numbers) number = mean + deviation * random.normal();
  return numbers;
}

}  // namespace

Samples synthetic_samples(const SyntheticOptions& options, std::uint64_t seed, std::string_view purpose) {
  const auto size = static_cast<std::size_t>(options.shape.count()),
             classes = static_cast<std::size_t>(options.classes);
  const std::vector<double> means = normal_numbers("synthetic means", classes * size, 0.5, options.spread, seed);
  const std::vector<double> writers =
      normal_numbers("synthetic writers", options.groups * size, 0.0, options.group_spread, seed);
  Random random = Random::derived(seed, fmt::format("synthetic {}", purpose));
  Samples samples;
  samples.inputs.reserve(options.samples * size);
  samples.labels.reserve(options.samples);
  for (std::size_t sample = 0; sample < options.samples; ++sample) {
    const std::size_t label = sample % classes;
    const std::size_t writer = options.groups > 0 ? sample / classes % options.groups : 0;
    samples.labels.push_back(static_cast<std::int32_t>(label));
    if (options.groups > 0) samples.groups.push_back(static_cast<std::int32_t>(writer));
    for (std::size_t pixel = 0; pixel < size; ++pixel) {
      const double own = options.groups > 0 ? writers[writer * size + pixel] : 0.0;
      const double value = means[label * size + pixel] + own + options.noise * random.normal();
      samples.inputs.push_back(static_cast<float>(std::clamp(value, 0.0, 1.0)));
    }
  }
  return samples;
}

}  // namespace orrery
