// The own elementary functions against those of the standard library in double.
#include "models/kernels/elementary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Calls visit(x) for x from -limit to limit in 100,000 steps.
template <class Visit>
void over_grid(double limit, Visit visit) {
  constexpr int steps = 100'000;
  for (int i = 0; i <= steps; ++i) visit(static_cast<float>(limit * (2.0 * i / steps - 1)));
}

TEST_CASE("the exponential is right to 2e-7 of its size wherever a float can hold it") {
  double worst = 0;
  over_grid(87,
            [&](float x) { worst = std::max(worst, std::abs(exponential(x) / std::exp(static_cast<double>(x)) - 1)); });
  CHECK(worst < 2e-7);
  CHECK(exponential(0.0F) == 1.0F);
}

TEST_CASE("the exponential saturates, at 0 below and at a large number above, and passes NaN on") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(exponential(-88.0F) == 0.0F);
  CHECK(exponential(-1e30F) == 0.0F);
  CHECK(exponential(-infinity) == 0.0F);
  CHECK(exponential(200.0F) == exponential(88.0F));
  CHECK(exponential(infinity) > 1e38F);
  CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("the logistic function is right to 2e-7") {
  double worst = 0;
  over_grid(30, [&](float x) {
    worst = std::max(worst, std::abs(logistic(x) - 1 / (1 + std::exp(-static_cast<double>(x)))));
  });
  CHECK(worst < 2e-7);
  CHECK(logistic(-500.0F) < 1e-38F);
  CHECK(logistic(500.0F) == 1.0F);
}

TEST_CASE("the hyperbolic tangent is right to 3e-7 of its size, near 0 too") {
  for (const double limit : {20.0, 1.0, 1e-3}) {
    double worst = 0;
    over_grid(limit, [&](float x) {
      const double exact = std::tanh(static_cast<double>(x));
      if (exact != 0) worst = std::max(worst, std::abs(hyperbolic_tangent(x) / exact - 1));
    });
    CHECK(worst < 3e-7);
  }
  CHECK(hyperbolic_tangent(0.0F) == 0.0F);
  CHECK(hyperbolic_tangent(-100.0F) == -1.0F);
  CHECK(std::isnan(hyperbolic_tangent(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("the tail of the normal distribution is right to 3e-7") {
  double worst = 0;
  over_grid(10, [&](float x) {
    const double exact = 0.5 * std::erfc(std::abs(static_cast<double>(x)) / std::sqrt(2.0));
    worst = std::max(worst, std::abs(normal_tail(x).tail - exact));
  });
  CHECK(worst < 3e-7);
  CHECK(normal_tail(0.0F).tail == Approx(0.5).margin(3e-7));
  CHECK(normal_tail(1.959964F).tail == Approx(0.025).epsilon(1e-5));
  CHECK(normal_tail(1.0F).bell == Approx(0.60653066));
  CHECK(std::isnan(normal_tail(std::numeric_limits<float>::quiet_NaN()).tail));
}

}  // namespace
}  // namespace orrery
