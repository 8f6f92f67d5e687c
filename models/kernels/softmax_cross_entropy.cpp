#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
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

namespace {

// Numbers are taken in runs of whole vectors, the last one filled up: the ten numbers of a digit would else be done one
// by one, at twice the cost.
constexpr std::int32_t run_length = 16;
template <class Number>
using Run = std::array<Number, run_length>;

/// body(first, count) for runs of `count` <= run_length of the numbers.
template <class Body>
void for_runs(std::size_t numbers, Body body) {
  for (std::size_t first = 0; first < numbers; first += run_length) {
    body(first, static_cast<std::int32_t>(std::min<std::size_t>(run_length, numbers - first)));
  }
}

/// All of a run made one, by halves, whose operations do not wait for each other.
template <class Number, class Join>
Number by_halves(Run<Number> run, Join join) {
  for (std::size_t half = run_length / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) run[i] = join(run[i], run[i + half]);
  }
  return run[0];
}

/// exp(score - largest), so that none overflows: body(first, count, exponentials), those beyond `count` 0. Returns
/// their sum.
template <class Body>
double for_exponentials(std::span<const float> scores, float largest, Body body) {
  Run<double> sums{};
  for_runs(scores.size(), [&](std::size_t first, std::int32_t count) {
    const float* __restrict from = scores.data() + first;
    Run<float> run;
#pragma omp simd
    for (std::int32_t i = 0; i < run_length; ++i) {
      run[i] = i < count ? exponential(from[i] - largest) : 0.0F;
      sums[i] += static_cast<double>(run[i]);
    }
    body(first, count, run);
  });
  return by_halves(sums, std::plus<>());
}

}  // namespace

float largest_of(std::span<const float> numbers) {
  const auto larger = [](float a, float b) { return a > b ? a : b; };
  constexpr float none = -std::numeric_limits<float>::infinity();
  Run<float> largest;
  largest.fill(none);
  for_runs(numbers.size(), [&](std::size_t first, std::int32_t count) {
    const float* __restrict from = numbers.data() + first;
#pragma omp simd
    for (std::int32_t i = 0; i < run_length; ++i) largest[i] = larger(i < count ? from[i] : none, largest[i]);
  });
  return by_halves(largest, larger);
}

std::size_t place_of_largest(std::span<const float> numbers) {
  return static_cast<std::size_t>(std::find(numbers.begin(), numbers.end(), largest_of(numbers)) - numbers.begin());
}

ClassResult class_result(std::span<const float> scores, std::size_t label) {
  const float largest = largest_of(scores);
  const double sum = for_exponentials(scores, largest, [](std::size_t, std::int32_t, const Run<float>&) {});
  const double loss = std::log(sum) - (static_cast<double>(scores[label]) - static_cast<double>(largest));
  const auto before = scores.first(label);
  const bool first = scores[label] == largest && std::find(before.begin(), before.end(), largest) == before.end();
  return {loss, first && std::isfinite(loss)};
}

void class_gradient(std::span<const float> scores, std::size_t label, double scale, std::span<float> gradient) {
  const auto store = [&](std::size_t first, std::int32_t count, const Run<float>& run) {
    float* __restrict to = gradient.data() + first;
#pragma omp simd
    for (std::int32_t i = 0; i < run_length; ++i) {
      if (i < count) to[i] = run[i];
    }
  };
  const double sum = for_exponentials(scores, largest_of(scores), store);
  const auto factor = static_cast<float>(scale / sum);
  for (float& number : gradient) number *= factor;
  gradient[label] -= static_cast<float>(scale);
}

std::unique_ptr<Loss> make_softmax_cross_entropy(const Layer& layer) {
  return std::make_unique<SoftmaxCrossEntropy>(layer);
}

}  // namespace orrery
