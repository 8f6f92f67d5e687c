#include <algorithm>
#include <cmath>
#include <limits>

#include "models/kernels/elementary.hpp"
#include "models/kernels/losses.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class SoftmaxCrossEntropy final : public Loss {
 public:
  explicit SoftmaxCrossEntropy(const Layer& layer)
      : classes_(static_cast<std::size_t>(layer.in.channels)), positions_(layer.in.height * layer.in.width) {}

  [[nodiscard]] std::int64_t predictions_per_sample() const override { return positions_; }

  [[nodiscard]] BatchResult value(std::span<const float> scores, const Targets& targets) const override {
    BatchResult result;
    for_each_prediction(scores, targets, [&](std::size_t first, std::size_t label) {
      const ClassResult one = class_result(scores.subspan(first, classes_), label);
      result += {one.loss, one.correct ? 1 : 0, 1};
    });
    return result;
  }

  void gradient(std::span<const float> scores, const Targets& targets, double divisor,
                std::span<float> gradient) const override {
    ORRERY_EXPECT(gradient.size() == scores.size() && divisor != 0);
    for_each_prediction(scores, targets, [&](std::size_t first, std::size_t label) {
      class_gradient(scores.subspan(first, classes_), label, 1.0 / divisor, gradient.subspan(first, classes_));
    });
  }

 private:
  template <class Body>
  void for_each_prediction(std::span<const float> scores, const Targets& targets, Body body) const {
    ORRERY_EXPECT(scores.size() == targets.labels.size() * classes_);
    for (std::size_t i = 0; i < targets.labels.size(); ++i) {
      const std::int32_t label = targets.labels[i];
      ORRERY_EXPECT(label >= 0 && static_cast<std::size_t>(label) < classes_);
      body(i * classes_, static_cast<std::size_t>(label));
    }
  }

  std::size_t classes_;
  std::int64_t positions_;
};

}  // namespace

float largest_of(std::span<const float> numbers) {
  const float* __restrict from = numbers.data();
  const std::size_t count = numbers.size();
  float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
  for (std::size_t i = 0; i < count; ++i) largest = from[i] > largest ? from[i] : largest;
  return largest;
}

std::size_t place_of_largest(std::span<const float> numbers) {
  return static_cast<std::size_t>(std::find(numbers.begin(), numbers.end(), largest_of(numbers)) - numbers.begin());
}

// Scores are shifted by their maximum, so that no exponential overflows.
ClassResult class_result(std::span<const float> scores, std::size_t label) {
  const float* __restrict from = scores.data();
  const std::size_t count = scores.size();
  const float largest = largest_of(scores);
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(exponential(from[i] - largest));
  const double loss = std::log(sum) - (static_cast<double>(scores[label]) - static_cast<double>(largest));
  const auto before = scores.first(label);
  const bool first = scores[label] == largest && std::find(before.begin(), before.end(), largest) == before.end();
  return {loss, first && std::isfinite(loss)};
}

void class_gradient(std::span<const float> scores, std::size_t label, double scale, std::span<float> gradient) {
  const float* __restrict from = scores.data();
  float* __restrict to = gradient.data();
  const std::size_t count = scores.size();
  const float largest = largest_of(scores);
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = exponential(from[i] - largest);
    sum += static_cast<double>(to[i]);
  }
  const auto factor = static_cast<float>(scale / sum);
  for (std::size_t i = 0; i < count; ++i) to[i] *= factor;
  to[label] -= static_cast<float>(scale);
}

std::unique_ptr<Loss> make_softmax_cross_entropy(const Layer& layer) {
  return std::make_unique<SoftmaxCrossEntropy>(layer);
}

}  // namespace orrery
