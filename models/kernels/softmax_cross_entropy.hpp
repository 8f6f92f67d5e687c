// The loss: softmax of the last layer's scores, and the cross entropy of that with the labels.
#pragma once

#include <cstdint>
#include <span>

namespace orrery {

struct BatchResult {
  double loss_sum = 0;       // sum over the samples of -log softmax(scores)[label], in nats
  std::int64_t correct = 0;  // samples whose largest score is the label's; of equal scores the first counts
  std::int64_t samples = 0;

  BatchResult& operator+=(const BatchResult& other) {
    loss_sum += other.loss_sum;
    correct += other.correct;
    samples += other.samples;
    return *this;
  }
};

/// Softmax and cross entropy. scores: labels.size() x classes, one sample after the other. A label outside [0, classes)
/// breaks a promise.
BatchResult softmax_cross_entropy(std::span<const float> scores, std::span<const std::int32_t> labels);

/// gradient (as large as scores) = (softmax(scores) - one-hot(label)) / divisor.
void softmax_cross_entropy_gradient(std::span<const float> scores, std::span<const std::int32_t> labels, double divisor,
                                    std::span<float> gradient);

}  // namespace orrery
