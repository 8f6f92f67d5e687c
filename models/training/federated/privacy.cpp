#include "models/training/federated/privacy.hpp"

#include <cmath>

#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

double local_noise_multiplier(const PrivacyOptions& options) {
  return options.noise_multiplier / 2;
}

double clip_update(std::span<float> update, double clip) {
  ORRERY_EXPECT(clip > 0);
  const double norm = std::sqrt(sum_of_squares(update));
  if (norm <= clip) return norm;
  const double factor = clip / norm;
  for (float& number : update) number = static_cast<float>(factor * static_cast<double>(number));
  return norm;
}

void add_noise(std::span<float> numbers, double deviation, Random& random) {
  ORRERY_EXPECT(deviation >= 0);
  for (float& number : numbers) number = static_cast<float>(static_cast<double>(number) + deviation * random.normal());
}

}  // namespace orrery
