#include "models/kernels/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Scores are shifted by their maximum, so that no exponential overflows.
double sum_of_exponentials(std::span<const float> scores, float maximum) {
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - maximum);
  return sum;
}

std::size_t classes_of(std::span<const float> scores, std::span<const std::int32_t> labels) {
  ORRERY_EXPECT(!labels.empty() && scores.size() % labels.size() == 0);
  const std::size_t classes = scores.size() / labels.size();
  for (const std::int32_t label : labels) ORRERY_EXPECT(label >= 0 && static_cast<std::size_t>(label) < classes);
  return classes;
}

}  // namespace

BatchResult softmax_cross_entropy(std::span<const float> scores, std::span<const std::int32_t> labels) {
  const std::size_t classes = classes_of(scores, labels);
  BatchResult result;
  result.samples = static_cast<std::int64_t>(labels.size());
  for (std::size_t sample = 0; sample < labels.size(); ++sample) {
    const auto row = scores.subspan(sample * classes, classes);
    const auto label = static_cast<std::size_t>(labels[sample]);
    const auto largest = std::max_element(row.begin(), row.end());
    result.loss_sum += std::log(sum_of_exponentials(row, *largest)) - static_cast<double>(row[label] - *largest);
    if (static_cast<std::size_t>(largest - row.begin()) == label) ++result.correct;
  }
  return result;
}

void softmax_cross_entropy_gradient(std::span<const float> scores, std::span<const std::int32_t> labels, double divisor,
                                    std::span<float> gradient) {
  const std::size_t classes = classes_of(scores, labels);
  ORRERY_EXPECT(gradient.size() == scores.size() && divisor > 0);
  for (std::size_t sample = 0; sample < labels.size(); ++sample) {
    const auto row = scores.subspan(sample * classes, classes);
    const auto to = gradient.subspan(sample * classes, classes);
    const float maximum = *std::max_element(row.begin(), row.end());
    const auto scale = static_cast<float>(1.0 / (sum_of_exponentials(row, maximum) * divisor));
    for (std::size_t c = 0; c < classes; ++c) to[c] = std::exp(row[c] - maximum) * scale;
    to[static_cast<std::size_t>(labels[sample])] -= static_cast<float>(1.0 / divisor);
  }
}

}  // namespace orrery
