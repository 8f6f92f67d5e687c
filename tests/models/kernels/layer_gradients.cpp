// Every layer's backward pass against central differences of its forward pass.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

// The step h = 1/64 balances two errors of the difference quotient: rounding of float32 outputs, about 6e-8 / h = 4e-6
// per output, and the third derivative of tanh and sigmoid, at most 2 h^2 / 6 = 8e-5. With sums of up to a hundred
// outputs both stay under 1e-3 of a gradient of size 1.
constexpr float step = 1.0F / 64;
constexpr double tolerance = 1e-3;

double weighted_sum(const Numbers& numbers, const Numbers& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) sum += static_cast<double>(numbers[i]) * weights[i];
  return sum;
}

// Numbers that differ from each other and from 0 by more than 2 h, in random order: no step crosses the kink of ReLU or
// changes which number of a window is the largest.
Numbers spread_numbers(std::size_t count, Random& random) {
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

Numbers normal_numbers(std::size_t count, Random& random) {
  Numbers numbers(count);
  for (float& number : numbers) number = static_cast<float>(random.normal());
  return numbers;
}

// The largest difference between `gradient` and the difference quotients of objective(numbers).
template <class Objective>
double worst_difference(Numbers numbers, const Numbers& gradient, Objective objective) {
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

void check_gradients(const Layer& layer) {
  INFO(layer.name << " " << to_text(layer.in) << " kernel " << layer.kernel << " stride " << layer.stride << " padding "
                  << layer.padding << " bias " << layer.bias);
  Random random(3);
  RunLayer run(layer);
  constexpr std::size_t samples = 3;
  const auto input_size = samples * static_cast<std::size_t>(layer.in.count());
  const bool kinked = layer.kind == LayerKind::relu || layer.kind == LayerKind::max_pool;
  const Numbers input = kinked ? spread_numbers(input_size, random) : normal_numbers(input_size, random);
  const Numbers parameters = normal_numbers(run.parameters(), random);
  const Numbers output = run.forward(parameters, input);
  const Numbers weights = normal_numbers(output.size(), random);
  const auto gradients = run.backward(weights);
  CHECK(worst_difference(input, gradients.input, [&](const Numbers& changed) {
          return weighted_sum(run.forward(parameters, changed), weights);
        }) < tolerance);
  CHECK(worst_difference(parameters, gradients.parameters, [&](const Numbers& changed) {
          return weighted_sum(run.forward(changed, input), weights);
        }) < tolerance);
}

TEST_CASE("the gradients of a dense layer agree with finite differences") {
  for (const bool bias : {true, false}) {
    check_gradients(small_layer(LayerKind::dense, {1, 1, 7}, {.channels = 5, .bias = bias}));
    check_gradients(small_layer(LayerKind::dense, {1, 1, 1}, {.channels = 18, .bias = bias}));
  }
}

TEST_CASE("the gradients of a convolution agree with finite differences for every kernel, stride and padding") {
  for (const std::int64_t kernel : {1, 3, 5}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t padding : {std::int64_t{0}, kernel / 2}) {
        check_gradients(small_layer(LayerKind::convolution, {5, 6, 2},
                                    {.channels = 3, .kernel = kernel, .stride = stride, .padding = padding}));
      }
    }
  }
  check_gradients(small_layer(LayerKind::convolution, {4, 4, 1}, {.channels = 2, .kernel = 2, .bias = false}));
}

TEST_CASE("the gradients of pooling agree with finite differences") {
  for (const LayerKind kind : {LayerKind::max_pool, LayerKind::average_pool}) {
    check_gradients(small_layer(kind, {4, 6, 3}, {.kernel = 2, .stride = 2}));
    check_gradients(small_layer(kind, {5, 5, 2}, {.kernel = 3, .stride = 2}));
    check_gradients(small_layer(kind, {5, 7, 2}, {.kernel = 2, .stride = 2}));  // a rest that no window sees
    check_gradients(small_layer(kind, {3, 3, 17}, {.kernel = 2, .stride = 1}));
  }
  check_gradients(small_layer(LayerKind::max_pool, {5, 5, 2}, {.kernel = 3, .stride = 2, .padding = 1}));
  check_gradients(small_layer(LayerKind::global_average_pool, {3, 4, 5}));
}

TEST_CASE("the gradients of activations agree with finite differences") {
  for (const LayerKind kind : {LayerKind::relu, LayerKind::tanh, LayerKind::sigmoid}) {
    check_gradients(small_layer(kind, {2, 3, 7}));
  }
}

}  // namespace
}  // namespace orrery
