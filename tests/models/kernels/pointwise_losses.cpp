// The losses that compare number with number: mean squared error and binary cross entropy.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "models/kernels/loss.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;
using Labels = std::vector<std::int32_t>;

std::unique_ptr<Loss> loss_of(LayerKind kind, std::int64_t count) {
  return make_loss(small_layer(kind, {1, 1, count}));
}

Numbers gradient(const Loss& loss, const Numbers& scores, const Targets& targets, double divisor) {
  Numbers result(scores.size(), 7.0F);
  loss.gradient(scores, targets, divisor, result);
  return result;
}

TEST_CASE(
    "the mean squared error of a sample is the mean over its numbers, and its gradient twice the error over them") {
  const auto loss = loss_of(LayerKind::mean_squared_error, 2);
  const Numbers scores{1, 2, 5, 5}, targets{0, 4, 5, 1};
  const BatchResult result = loss->value(scores, {.numbers = targets});
  CHECK(result.loss_sum == Approx((1.0 + 4.0) / 2 + 16.0 / 2));
  CHECK(result.samples == 2);
  CHECK(result.correct == 2);  // 2 is the largest where 4 is; of two fives the first counts, as 5 before 1
  CHECK(gradient(*loss, scores, {.numbers = targets}, 4.0) == Numbers{1.0F / 4, -2.0F / 4, 0, 4.0F / 4});
  CHECK(loss->predictions_per_sample() == 1);
}

TEST_CASE("without numbers the target is the one-hot of the label") {
  for (const LayerKind kind : {LayerKind::mean_squared_error, LayerKind::binary_cross_entropy}) {
    const auto loss = loss_of(kind, 3);
    const Numbers scores{0.2F, -0.5F, 1.5F, 0.1F, 0.3F, 0.2F}, targets{0, 0, 1, 1, 0, 0};
    const Labels labels{2, 0};
    const BatchResult of_labels = loss->value(scores, {labels});
    CHECK(of_labels.loss_sum == loss->value(scores, {labels, targets}).loss_sum);
    CHECK(of_labels.correct == 1);
    CHECK(gradient(*loss, scores, {labels}, 2.0) == gradient(*loss, scores, {labels, targets}, 2.0));
  }
}

TEST_CASE("the binary cross entropy of scores 0 and ln 3 is that of shares 1/2 and 3/4") {
  const auto loss = loss_of(LayerKind::binary_cross_entropy, 2);
  const Numbers scores{0, std::log(3.0F)};
  const Numbers sure{0, 1}, wrong{1, 0}, half{0.5F, 0.75F};
  CHECK(loss->value(scores, {.numbers = sure}).loss_sum == Approx((std::log(2.0) + std::log(4.0 / 3)) / 2));
  CHECK(loss->value(scores, {.numbers = wrong}).loss_sum == Approx((std::log(2.0) + std::log(4.0)) / 2));
  CHECK(loss->value(scores, {.numbers = sure}).correct == 1);
  CHECK(loss->value(scores, {.numbers = wrong}).correct == 0);
  const Numbers slope = gradient(*loss, scores, {.numbers = sure}, 2.0);
  CHECK(slope[0] == Approx(0.5 / 2 / 2));
  CHECK(slope[1] == Approx(-0.25 / 2 / 2));
  for (const float none : gradient(*loss, scores, {.numbers = half}, 1.0)) CHECK(none == Approx(0.0).margin(1e-7));
}

TEST_CASE("a single number is right when it is on its target's side of one half") {
  const Labels labels{0, 1, 0, 1};
  const auto error = loss_of(LayerKind::mean_squared_error, 1);
  CHECK(error->value(Numbers{0.4F, 0.6F, 0.7F, 0.2F}, {labels}).correct == 2);
  CHECK(error->value(Numbers{0.5F, 1.0F, 0.0F, 2.0F}, {labels}).loss_sum == Approx(0.25 + 1));
  const auto entropy = loss_of(LayerKind::binary_cross_entropy, 1);
  CHECK(entropy->value(Numbers{-0.1F, 0.1F, 0.6F, -3.0F}, {labels}).correct == 2);
  CHECK(entropy->value(Numbers{0, 0, 0, 0}, {labels}).loss_sum == Approx(4 * std::log(2.0)));
}

TEST_CASE("huge scores neither overflow nor lose the binary cross entropy") {
  const auto loss = loss_of(LayerKind::binary_cross_entropy, 2);
  const Numbers scores{1e4F, -1e30F}, targets{0, 1};
  CHECK(loss->value(scores, {.numbers = targets}).loss_sum == Approx((1e4 + 1e30) / 2));
  CHECK(gradient(*loss, scores, {.numbers = targets}, 1.0) == Numbers{0.5F, -0.5F});
}

TEST_CASE("a score that is no number makes a pointwise loss, and its gradient there, no number") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const LayerKind kind : {LayerKind::mean_squared_error, LayerKind::binary_cross_entropy}) {
    const auto loss = loss_of(kind, 2);
    for (const Numbers& scores : {Numbers{nan, 1}, Numbers{1, nan}}) {
      const BatchResult result = loss->value(scores, {Labels{0}});
      CHECK(std::isnan(result.loss_sum));
      CHECK(result.correct == 0);
      const Numbers slope = gradient(*loss, scores, {Labels{0}}, 1.0);
      for (std::size_t i = 0; i < 2; ++i) CHECK(std::isnan(slope[i]) == std::isnan(scores[i]));
    }
  }
}

TEST_CASE("the gradients of pointwise losses agree with finite differences") {
  Random random(4);
  const Numbers scores = gradient_check::normal_numbers(12, 2.0F, random);
  Numbers targets = gradient_check::normal_numbers(12, 1.0F, random);
  for (float& target : targets) target = std::abs(target) / (1 + std::abs(target));
  for (const LayerKind kind : {LayerKind::mean_squared_error, LayerKind::binary_cross_entropy}) {
    const auto loss = loss_of(kind, 4);
    const Targets of{.numbers = targets};
    CHECK(gradient_check::worst_difference(scores, gradient(*loss, scores, of, 3.0), 1.0F / 64,
                                           [&](const Numbers& at) { return loss->value(at, of).loss_sum / 3; }) < 2e-5);
  }
}

TEST_CASE("targets that do not cover the scores, or labels that are no place, break a promise") {
  const auto loss = loss_of(LayerKind::mean_squared_error, 2);
  CHECK_THROWS_AS(loss->value(Numbers(4), {.numbers = Numbers(2)}), ContractViolation);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{0}}), ContractViolation);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{0, 2}}), ContractViolation);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{-1, 0}}), ContractViolation);
  CHECK_THROWS_AS(make_loss(small_layer(LayerKind::relu, {1, 1, 2})), ContractViolation);
}

}  // namespace
}  // namespace orrery
