// A layer's backward pass against central differences of its forward pass.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"

namespace orrery {

// The step h = 1/64 balances two errors of the difference quotient: rounding of float32 outputs, about 6e-8 / h = 4e-6
// per output, and the third derivative of tanh and sigmoid, at most 2 h^2 / 6 = 8e-5. With sums of up to a hundred
// outputs both stay under 1e-3 of a gradient of size 1.
struct GradientOptions {
  std::size_t samples = 3;
  float step = 1.0F / 64;
  double tolerance = 1e-3;
  float spread = 1.0F;     // deviation of the numbers of inputs and parameters
  bool kinked = false;     // inputs far from each other and from 0: no step crosses a kink or changes a maximum
  std::size_t second = 0;  // numbers per sample of the second operand
  std::size_t tied = 0;    // numbers of a tied table
};

namespace gradient_check {

using Numbers = std::vector<float>;

inline double weighted_sum(const Numbers& numbers, const Numbers& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) sum += static_cast<double>(numbers[i]) * weights[i];
  return sum;
}

/// Numbers that differ from each other and from 0 by more than 2 h, in random order.
inline Numbers spread_numbers(std::size_t count, float step, Random& random) {
  std::vector<int> places(count);
  std::iota(places.begin(), places.end(), 0);
  random.shuffle(places);
  Numbers numbers;
  const float scale = count < 64 ? 4 * step : 2.5F * step;
  for (const int place : places) {
    numbers.push_back(scale * (static_cast<float>(place) - static_cast<float>(count) / 2 + 0.5F));
  }
  return numbers;
}

inline Numbers normal_numbers(std::size_t count, float spread, Random& random) {
  Numbers numbers(count);
  for (float& number : numbers) number = spread * static_cast<float>(random.normal());
  return numbers;
}

/// The largest difference between `gradient` and the difference quotients of objective(numbers).
template <class Objective>
double worst_difference(Numbers numbers, const Numbers& gradient, float step, Objective objective) {
  double worst = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const float at = numbers[i], above = at + step, below = at - step;
    numbers[i] = above;
    const double high = objective(numbers);
    numbers[i] = below;
    const double low = objective(numbers);
    numbers[i] = at;
    const double quotient = (high - low) / (static_cast<double>(above) - static_cast<double>(below));
    worst = std::max(worst, std::abs(quotient - gradient[i]) / std::max(1.0, std::abs(quotient)));
  }
  return worst;
}

/// Added gradients are the overwritten ones plus what was there.
inline void check_added(const Numbers& overwritten, const Numbers& added, float start) {
  double worst = 0;
  for (std::size_t i = 0; i < overwritten.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(added[i]) - start - overwritten[i]) /
                                std::max(1.0, std::abs(static_cast<double>(overwritten[i]))));
  }
  CHECK(worst < 1e-5);
}

}  // namespace gradient_check

/// All gradients of a layer, overwritten and added to.
inline void check_gradients(const Layer& layer, const GradientOptions& options = {}) {
  using namespace gradient_check;
  INFO(layer.name << " " << to_text(layer.in) << " -> " << to_text(layer.out) << " kernel " << layer.kernel
                  << " stride " << layer.stride << " padding " << layer.padding << " groups " << layer.groups
                  << " bias " << layer.bias);
  Random random(3);
  RunLayer run(layer);
  const auto input_size = options.samples * static_cast<std::size_t>(layer.in.count());
  const Numbers input = options.kinked ? spread_numbers(input_size, options.step, random)
                                       : normal_numbers(input_size, options.spread, random);
  const Numbers parameters = normal_numbers(run.parameters(), options.spread, random);
  const Numbers second = normal_numbers(options.samples * options.second, options.spread, random);
  const Numbers tied = normal_numbers(options.tied, options.spread, random);
  const Numbers weights = normal_numbers(run.forward(parameters, input, second, tied).size(), 1.0F, random);
  const RunLayer::Gradients gradients = run.backward(weights);
  const RunLayer::Gradients added = run.backward(weights, Update::add, 2.0F);
  check_added(gradients.input, added.input, 2.0F);
  check_added(gradients.parameters, added.parameters, 2.0F);
  check_added(gradients.second, added.second, 2.0F);
  const auto worst = [&](const Numbers& numbers, const Numbers& gradient, auto objective) {
    return worst_difference(numbers, gradient, options.step,
                            [&](const Numbers& changed) { return weighted_sum(objective(changed), weights); });
  };
  CHECK(worst(input, gradients.input, [&](const Numbers& to) { return run.forward(parameters, to, second, tied); }) <
        options.tolerance);
  CHECK(worst(parameters, gradients.parameters,
              [&](const Numbers& to) { return run.forward(to, input, second, tied); }) < options.tolerance);
  CHECK(worst(second, gradients.second, [&](const Numbers& to) { return run.forward(parameters, input, to, tied); }) <
        options.tolerance);
  CHECK(worst(tied, gradients.tied, [&](const Numbers& to) { return run.forward(parameters, input, second, to); }) <
        options.tolerance);
}

}  // namespace orrery
