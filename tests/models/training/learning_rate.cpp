// Schedules of the learning rate and clipping of gradients, by hand.
#include "models/training/learning_rate.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::vector<double> shares(const LearningRateSchedule& schedule, std::int64_t steps) {
  std::vector<double> all;
  for (std::int64_t step = 0; step < steps; ++step) all.push_back(rate_share(schedule, step));
  return all;
}

TEST_CASE("a constant rate is constant, after its warm-up") {
  CHECK(shares({}, 3) == std::vector<double>{1, 1, 1});
  CHECK(shares({.warm_up = 4}, 6) == std::vector<double>{0.25, 0.5, 0.75, 1, 1, 1});
}

TEST_CASE("steps multiply the rate every so often, counted from the end of the warm-up") {
  CHECK(shares({.kind = ScheduleKind::step, .every = 2, .factor = 0.5}, 5) ==
        std::vector<double>{1, 1, 0.5, 0.5, 0.25});
  CHECK(shares({.kind = ScheduleKind::step, .warm_up = 1, .every = 2, .factor = 0.5}, 4) ==
        std::vector<double>{1, 1, 1, 0.5});
}

TEST_CASE("a cosine goes from the whole rate to its final share, and stays there") {
  const LearningRateSchedule schedule{.kind = ScheduleKind::cosine, .total = 4, .final_fraction = 0.2};
  CHECK(rate_share(schedule, 0) == 1.0);
  CHECK(rate_share(schedule, 1) == Approx(0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2));
  CHECK(rate_share(schedule, 2) == Approx(0.6));
  CHECK(rate_share(schedule, 4) == Approx(0.2));
  CHECK(rate_share(schedule, 9) == Approx(0.2));
}

TEST_CASE("the warm-up takes its steps from the cosine") {
  const LearningRateSchedule schedule{.kind = ScheduleKind::cosine, .warm_up = 2, .total = 6};
  CHECK(rate_share(schedule, 0) == 0.5);
  CHECK(rate_share(schedule, 2) == 1.0);
  CHECK(rate_share(schedule, 4) == Approx(0.5));
  CHECK(rate_share(schedule, 6) == Approx(0.0).margin(1e-15));
}

TEST_CASE("a cosine without an end is a broken promise") {
  CHECK_THROWS_AS(rate_share({.kind = ScheduleKind::cosine}, 0), ContractViolation);
  CHECK_THROWS_AS(rate_share({.kind = ScheduleKind::cosine, .warm_up = 5, .total = 5}, 5), ContractViolation);
}

TEST_CASE("the norm of many numbers counts each of them once") {
  for (const std::size_t count : {0U, 1U, 15U, 16U, 17U, 100U}) {
    std::vector<float> numbers(count);
    double expected = 0;
    for (std::size_t i = 0; i < count; ++i) {
      numbers[i] = static_cast<float>(i + 1);
      expected += static_cast<double>((i + 1) * (i + 1));
    }
    CHECK(sum_of_squares(numbers) == expected);
  }
}

TEST_CASE("clipping shortens what is too long, as clip_grad_norm_ does") {
  CHECK(clip_factor(0.5, 1.0) == 1.0);
  CHECK(clip_factor(4.0, 1.0) == 1.0 / (4.0 + 1e-6));
  CHECK(clip_factor(0.0, 1.0) == 1.0);
  CHECK(std::isnan(clip_factor(std::numeric_limits<double>::quiet_NaN(), 1.0)));
}

}  // namespace
}  // namespace orrery
