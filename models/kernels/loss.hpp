// What a network is trained to make small.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct BatchResult {
  double loss_sum = 0;       // sum over the predictions
  std::int64_t correct = 0;  // predictions that hit, as the loss defines it
  std::int64_t samples = 0;  // predictions judged: one per sample, one per token of a sequence

  BatchResult& operator+=(const BatchResult& other) {
    loss_sum += other.loss_sum;
    correct += other.correct;
    samples += other.samples;
    return *this;
  }
};

/// What the network should have said.
struct Targets {
  std::span<const std::int32_t>
      labels{};                      // samples x predictions_per_sample of softmax_cross_entropy; else 1 per sample
  std::span<const float> numbers{};  // samples x in.count(); empty: one-hot of the labels, where a loss allows it
};

/// Immutable: one object serves all threads.
class Loss {
 public:
  virtual ~Loss() = default;
  /// scores: samples x in.count(), the input of the loss layer. A label outside [0, classes) breaks a promise.
  [[nodiscard]] virtual BatchResult value(std::span<const float> scores, const Targets& targets) const = 0;
  /// gradient (as large as scores) = d(loss_sum) / d(scores) / divisor; overwritten.
  virtual void gradient(std::span<const float> scores, const Targets& targets, double divisor,
                        std::span<float> gradient) const = 0;
  /// Predictions judged per sample: what a mean loss divides by.
  [[nodiscard]] virtual std::int64_t predictions_per_sample() const { return 1; }
};

/// softmax_cross_entropy: -log softmax(scores)[label] in nats, per vector of `channels` scores (one per token);
/// correct: the largest score is the label's, of equal ones the first.
/// mean_squared_error: per sample the mean over its numbers of (score - target)^2. binary_cross_entropy: per sample the
/// mean over its numbers of -t log s(x) - (1 - t) log(1 - s(x)), s the logistic function, in its stable form
/// max(x, 0) - x t + log(1 + exp(-|x|)). Both: correct: the largest number is where the largest target is; of a single
/// number, score (s(x)) and target are on the same side of 1/2, and a label (0 or 1) is itself the target.
/// detection_loss: see detection.hpp.
/// A sample whose loss is not finite is not correct.
std::unique_ptr<Loss> make_loss(const Layer& layer);

}  // namespace orrery
