// Losses that compare every number with its target, and average over the numbers of a sample.
#pragma once

#include <cmath>
#include <cstddef>

#include "models/kernels/losses.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

/// Comparison: value(score, target), its slope by the score, and `boundary`, the score that says 1/2 when a sample is a
/// single number.
template <class Comparison>
class PointwiseLoss final : public Loss {
 public:
  explicit PointwiseLoss(const Layer& layer) : count_(static_cast<std::size_t>(layer.in.count())) {}

  [[nodiscard]] BatchResult value(std::span<const float> scores, const Targets& targets) const override {
    BatchResult result;
    for_each_sample(scores, targets, [&](std::size_t first, auto target) {
      const auto row = scores.subspan(first, count_);
      double sum = 0;
      for (std::size_t i = 0; i < count_; ++i) sum += Comparison::value(row[i], target(i));
      result += {sum / static_cast<double>(count_), std::isfinite(sum) && is_correct(row, target) ? 1 : 0, 1};
    });
    return result;
  }

  void gradient(std::span<const float> scores, const Targets& targets, double divisor,
                std::span<float> gradient) const override {
    ORRERY_EXPECT(gradient.size() == scores.size() && divisor != 0);
    const auto scale = static_cast<float>(1.0 / (static_cast<double>(count_) * divisor));
    for_each_sample(scores, targets, [&](std::size_t first, auto target) {
      const float* __restrict from = scores.data() + first;
      float* __restrict to = gradient.data() + first;
      for (std::size_t i = 0; i < count_; ++i) to[i] = Comparison::slope(from[i], target(i)) * scale;
    });
  }

 private:
  /// body(place of the sample's first number, function from a place in the sample to its target)
  template <class Body>
  void for_each_sample(std::span<const float> scores, const Targets& targets, Body body) const {
    const bool one_hot = targets.numbers.empty();
    ORRERY_EXPECT(scores.size() == (one_hot ? targets.labels.size() * count_ : targets.numbers.size()));
    for (std::size_t first = 0; first < scores.size(); first += count_) {
      if (one_hot) {
        body(first, one_hot_of(targets.labels[first / count_]));
      } else {
        const float* numbers = targets.numbers.data() + first;
        body(first, [numbers](std::size_t i) { return numbers[i]; });
      }
    }
  }

  /// Of a single number, the label itself.
  [[nodiscard]] auto one_hot_of(std::int32_t label) const {
    ORRERY_EXPECT(label >= 0 && static_cast<std::size_t>(label) < (count_ == 1 ? 2 : count_));
    const std::size_t place = count_ == 1 ? static_cast<std::size_t>(1 - label) : static_cast<std::size_t>(label);
    return [place](std::size_t i) { return i == place ? 1.0F : 0.0F; };
  }

  template <class Target>
  [[nodiscard]] bool is_correct(std::span<const float> row, Target target) const {
    if (count_ == 1) return (row[0] > Comparison::boundary) == (target(0) > 0.5F);
    std::size_t place = 0;
    for (std::size_t i = 1; i < count_; ++i) {
      if (target(i) > target(place)) place = i;
    }
    return place_of_largest(row) == place;
  }

  std::size_t count_;
};

}  // namespace orrery
