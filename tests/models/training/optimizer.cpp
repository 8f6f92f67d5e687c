#include "models/training/optimizer.hpp"

#include <cmath>
#include <vector>

#include "tests/catch.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

TEST_CASE("plain SGD takes learning rate times gradient away") {
  Optimizer optimizer({.kind = OptimizerKind::sgd, .learning_rate = 0.5}, 2);
  Numbers weights{1, 2};
  optimizer.step(weights, Numbers{2, -4});
  CHECK(weights == Numbers{0, 4});
}

TEST_CASE("momentum adds up: with a constant gradient of 1 the steps are 1, 1.5, 1.75 times the rate") {
  Optimizer optimizer({.kind = OptimizerKind::momentum, .learning_rate = 1, .momentum = 0.5}, 1);
  Numbers weights{0};
  for (const float expected : {-1.0F, -2.5F, -4.25F}) {
    optimizer.step(weights, Numbers{1});
    CHECK(weights[0] == expected);
  }
}

TEST_CASE("the first step of Adam is the learning rate against the sign of the gradient, however large") {
  Optimizer optimizer({.kind = OptimizerKind::adam, .learning_rate = 0.1}, 3);
  Numbers weights{0, 0, 0};
  optimizer.step(weights, Numbers{1000, -0.001F, 0});
  CHECK(weights[0] == Approx(-0.1));
  CHECK(weights[1] == Approx(0.1).epsilon(1e-4));
  CHECK(weights[2] == 0.0F);
}

TEST_CASE("Adam follows algorithm 1 of its paper") {
  const OptimizerOptions options{.kind = OptimizerKind::adam, .learning_rate = 0.01};
  Optimizer optimizer(options, 1);
  Numbers weights{1};
  double weight = 1, mean = 0, square = 0;
  for (int t = 1; t <= 20; ++t) {
    const double gradient = std::sin(t);
    optimizer.step(weights, Numbers{static_cast<float>(gradient)});
    mean = options.beta1 * mean + (1 - options.beta1) * gradient;
    square = options.beta2 * square + (1 - options.beta2) * gradient * gradient;
    const double corrected_mean = mean / (1 - std::pow(options.beta1, t));
    const double corrected_square = square / (1 - std::pow(options.beta2, t));
    weight -= options.learning_rate * corrected_mean / (std::sqrt(corrected_square) + options.epsilon);
  }
  CHECK(weights[0] == Approx(weight).epsilon(1e-5));
}

TEST_CASE("a step in parts equals the whole step, bit for bit") {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam}) {
    Optimizer whole({.kind = kind}, 37), parts({.kind = kind}, 37);
    Numbers a(37), b(37), gradients(37);
    for (int step = 1; step <= 3; ++step) {
      for (std::size_t i = 0; i < 37; ++i) gradients[i] = std::cos(static_cast<float>(i * static_cast<unsigned>(step)));
      whole.step(a, gradients);
      parts.begin_step();
      parts.update(20, std::span(b).subspan(20), std::span<const float>(gradients).subspan(20));
      parts.update(0, std::span(b).first(20), std::span<const float>(gradients).first(20));
    }
    INFO(name_of(kind));
    CHECK(a == b);
  }
}

}  // namespace
}  // namespace orrery
