#include "models/training/optimizer.hpp"

#include <cmath>
#include <span>
#include <vector>

#include "sim/base/contract.hpp"
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

TEST_CASE("Adadelta follows algorithm 1 of its paper: without a rate the first step is sqrt(offset / (1 - rho))") {
  const OptimizerOptions options{.kind = OptimizerKind::adadelta, .learning_rate = 1};
  Optimizer optimizer(options, 1);
  Numbers weights{1};
  double weight = 1, square = 0, steps = 0;
  for (int t = 1; t <= 20; ++t) {
    const double gradient = std::sin(t);
    optimizer.step(weights, Numbers{static_cast<float>(gradient)});
    square = options.rho * square + (1 - options.rho) * gradient * gradient;
    const double step = std::sqrt(steps + options.offset) / std::sqrt(square + options.offset) * gradient;
    steps = options.rho * steps + (1 - options.rho) * step * step;
    weight -= step;
    if (t == 1) CHECK(1 - weight == Approx(std::sqrt(1e-6 / 0.1)).epsilon(1e-4));
  }
  CHECK(1 - weights[0] == Approx(1 - weight).epsilon(1e-4));
}

/// The weight after each of two steps from 1, with gradients 0.5 and -0.25, at a rate of 0.1.
std::vector<double> two_steps(OptimizerOptions options) {
  options.learning_rate = 0.1;
  Optimizer optimizer(options, 1);
  Numbers weight{1};
  std::vector<double> after;
  for (const float gradient : {0.5F, -0.25F}) {
    optimizer.step(weight, Numbers{gradient});
    after.push_back(weight[0]);
  }
  return after;
}

void check_two_steps(const OptimizerOptions& options, double first, double second) {
  INFO(name_of(options.kind));
  const std::vector<double> weights = two_steps(options);
  CHECK(weights[0] == Approx(first).epsilon(1e-6));
  CHECK(weights[1] == Approx(second).epsilon(1e-6));
}

TEST_CASE("two steps of every optimizer, by hand") {
  using enum OptimizerKind;
  check_two_steps({.kind = sgd}, 0.95, 0.975);
  check_two_steps({.kind = momentum, .momentum = 0.5}, 0.95, 0.95);  // v = 0.5, then 0.25 - 0.25
  // slope 0.5, v 0.5: 1 - 0.1 (0.5 + 0.25); slope -0.25, v 0: 0.925 + 0.025
  check_two_steps({.kind = nesterov, .momentum = 0.5}, 0.925, 0.95);
  // m = 0.05, s = 0.00025: 0.1 x 0.5 / 0.5; m = 0.02, m' = 0.02 / 0.19, s = 0.00031225, s' = 0.00031225 / 0.001999
  const double second = 0.9 - 0.1 * (0.02 / 0.19) / std::sqrt(0.00031225 / 0.001999);
  check_two_steps({.kind = adam}, 0.9, second);
  check_two_steps({.kind = adamw}, 0.9, second);
  // |w| = 1, |q| = 1; then |w| = 0.9 and q's size drops out: only its sign is left of one number
  check_two_steps({.kind = lamb}, 0.9, 0.9 - 0.1 * 0.9);
}

TEST_CASE("weight decay is part of the gradient, but of adamw and lamb") {
  using enum OptimizerKind;
  // slope 0.5 + 0.1, then -0.25 + 0.1 x 0.94
  check_two_steps({.kind = sgd, .weight_decay = 0.1}, 0.94, 0.94 + 0.1 * 0.156);
  check_two_steps({.kind = momentum, .momentum = 0.5, .weight_decay = 0.1}, 0.94, 0.94 - 0.1 * (0.3 - 0.156));
  // slope 0.6, v 0.6: 1 - 0.1 (0.6 + 0.3); slope -0.25 + 0.091, v = 0.3 - 0.159
  check_two_steps({.kind = nesterov, .momentum = 0.5, .weight_decay = 0.1}, 0.91, 0.91 - 0.1 * (-0.159 + 0.5 * 0.141));
  // slopes 0.6 and -0.25 + 0.09 = -0.16: m = 0.054 - 0.016, s = 0.00035964 + 0.0000256
  check_two_steps({.kind = adam, .weight_decay = 0.1}, 0.9,
                  0.9 - 0.1 * (0.038 / 0.19) / std::sqrt(0.00038524 / 0.001999));
  // 1 - 0.1 x 0.1, then Adam's step on the gradients alone
  check_two_steps({.kind = adamw, .weight_decay = 0.1}, 0.89,
                  0.89 * 0.99 - 0.1 * (0.02 / 0.19) / std::sqrt(0.00031225 / 0.001999));
}

TEST_CASE("LAMB moves each layer in proportion to its weights") {
  // Two layers; a first step of Adam's direction is the sign of the gradient.
  Optimizer optimizer({.kind = OptimizerKind::lamb, .learning_rate = 0.1}, std::vector<NumberRange>{{0, 2}, {2, 4}});
  Numbers weights{3, 4, 0, 0, 0, 0};
  optimizer.step(weights, Numbers{2, -7, 1, 1, 1, -1});
  // |w| = 5, |q| = sqrt(2)
  CHECK(weights[0] == Approx(3 - 0.1 * 5 / std::sqrt(2.0)));
  CHECK(weights[1] == Approx(4 + 0.1 * 5 / std::sqrt(2.0)));
  // weights of 0 have no scale: the ratio is 1
  CHECK(weights[2] == Approx(-0.1));
  CHECK(weights[5] == Approx(0.1));
}

TEST_CASE("LAMB's decay is part of the direction whose length counts") {
  Optimizer optimizer({.kind = OptimizerKind::lamb, .learning_rate = 0.1, .weight_decay = 0.5}, 2);
  Numbers weights{3, 4};
  optimizer.step(weights, Numbers{1, -1});
  // q = (1 + 1.5, -1 + 2), |q| = sqrt(7.25)
  CHECK(weights[0] == Approx(3 - 0.1 * 5 / std::sqrt(7.25) * 2.5));
  CHECK(weights[1] == Approx(4 - 0.1 * 5 / std::sqrt(7.25) * 1.0));
}

TEST_CASE("LAMB steps a layer whose halves lie in two places, when their norms are added up") {
  const OptimizerOptions options{.kind = OptimizerKind::lamb, .learning_rate = 0.1};
  Optimizer first(options, 1), second(options, 1);
  Numbers left{3}, right{4};
  first.begin_step();
  second.begin_step();
  const SquaredNorms a = first.prepare(0, left, Numbers{2}), b = second.prepare(0, right, Numbers{-7});
  CHECK(a.weights == 9);
  CHECK(b.weights == 16);
  const SquaredNorms whole{a.weights + b.weights, a.direction + b.direction};
  first.apply(0, left, whole);
  second.apply(0, right, whole);
  // |w| = 5, |q| = sqrt(2)
  CHECK(left[0] == Approx(3 - 0.1 * 5 / std::sqrt(2.0)));
  CHECK(right[0] == Approx(4 + 0.1 * 5 / std::sqrt(2.0)));
  Optimizer other({.learning_rate = 0.1}, 1);
  other.begin_step();
  CHECK_THROWS_AS(other.prepare(0, left, Numbers{1}), ContractViolation);
}

TEST_CASE("the optimizer asks for its schedule at every step") {
  OptimizerOptions options{.learning_rate = 0.5};
  options.schedule = {.kind = ScheduleKind::step, .warm_up = 2, .every = 1, .factor = 0.5};
  Optimizer optimizer(options, 1);
  Numbers weight{0};
  std::vector<double> rates;
  for (int step = 0; step < 5; ++step) {
    optimizer.step(weight, Numbers{1});
    rates.push_back(optimizer.rate());
  }
  CHECK(rates == std::vector<double>{0.25, 0.5, 0.5, 0.25, 0.125});
  CHECK(weight[0] == -1.625F);
}

const std::vector<OptimizerKind> all_kinds = {OptimizerKind::sgd,     OptimizerKind::momentum, OptimizerKind::nesterov,
                                              OptimizerKind::adam,    OptimizerKind::adamw,    OptimizerKind::lamb,
                                              OptimizerKind::adadelta};

TEST_CASE("weights outside the layers that train are never touched") {
  for (const OptimizerKind kind : all_kinds) {
    INFO(name_of(kind));
    Optimizer optimizer({.kind = kind, .weight_decay = 0.1}, std::vector<NumberRange>{{1, 2}, {5, 1}});
    Numbers weights(7, 1.0F);
    optimizer.step(weights, Numbers(7, 1.0F));
    for (const std::size_t frozen : {0, 3, 4, 6}) CHECK(weights[frozen] == 1.0F);
    for (const std::size_t trained : {1, 2, 5}) CHECK(weights[trained] < 1.0F);
  }
}

TEST_CASE("blocks are whole layers for LAMB, else short runs that may span layers") {
  const std::vector<NumberRange> layers = {{0, 100}, {100, 20000}, {30000, 5}, {30005, 0}};
  const Optimizer lamb({.kind = OptimizerKind::lamb}, layers), sgd({}, layers);
  CHECK(lamb.blocks() == std::vector<NumberRange>{{0, 100}, {100, 20000}, {30000, 5}});
  CHECK(sgd.blocks() == std::vector<NumberRange>{{0, 16384}, {16384, 20100 - 16384}, {30000, 5}});
}

TEST_CASE("a step in parts equals the whole step, bit for bit") {
  const std::vector<NumberRange> layers = {{0, 20}, {20, 17}};
  for (const OptimizerKind kind : all_kinds) {
    const OptimizerOptions options{.kind = kind, .weight_decay = 0.01};
    Optimizer whole(options, layers), parts(options, layers);
    Numbers a(37, 0.5F), b(37, 0.5F), gradients(37);
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

TEST_CASE("a part of a layer is no part of a LAMB step") {
  Optimizer optimizer({.kind = OptimizerKind::lamb}, 4);
  Numbers weights(2), gradients(2);
  optimizer.begin_step();
  CHECK_THROWS_AS(optimizer.update(0, weights, gradients), ContractViolation);
}

}  // namespace
}  // namespace orrery
