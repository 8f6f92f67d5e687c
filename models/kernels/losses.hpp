// The constructors behind the table in loss.cpp, and what several losses share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "models/kernels/loss.hpp"

namespace orrery {

std::unique_ptr<Loss> make_softmax_cross_entropy(const Layer& layer);
std::unique_ptr<Loss> make_mean_squared_error(const Layer& layer);
std::unique_ptr<Loss> make_binary_cross_entropy(const Layer& layer);

/// The largest number. One that is no number may be passed over: look for those elsewhere.
float largest_of(std::span<const float> numbers);
/// Where the largest number first stands.
std::size_t place_of_largest(std::span<const float> numbers);

/// Softmax of `scores` against the class `label`.
struct ClassResult {
  double loss = 0;       // -log softmax(scores)[label], in nats; not finite when a score is not (but for -infinity)
  bool correct = false;  // the largest score is the label's, of equal ones the first
};
ClassResult class_result(std::span<const float> scores, std::size_t label);
/// gradient = (softmax(scores) - one-hot(label)) scale
void class_gradient(std::span<const float> scores, std::size_t label, double scale, std::span<float> gradient);

}  // namespace orrery
