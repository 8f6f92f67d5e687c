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

std::unique_ptr<Loss> softmax_over(std::int64_t classes, std::int64_t positions = 1) {
  return make_loss(small_layer(LayerKind::softmax_cross_entropy, {positions, 1, classes}));
}

BatchResult value(const Numbers& scores, const Labels& labels) {
  return softmax_over(static_cast<std::int64_t>(scores.size() / labels.size()))->value(scores, {labels});
}

Numbers gradient(const Numbers& scores, const Labels& labels, double divisor) {
  Numbers result(scores.size(), 7.0F);
  softmax_over(static_cast<std::int64_t>(scores.size() / labels.size()))->gradient(scores, {labels}, divisor, result);
  return result;
}

TEST_CASE("equal scores of k classes cost ln k, and the first class counts as the guess") {
  const BatchResult result = value(Numbers(20, 3.0F), {0, 9});
  CHECK(result.loss_sum == Approx(2 * std::log(10.0)));
  CHECK(result.correct == 1);
  CHECK(result.samples == 2);
}

TEST_CASE("the loss of scores ln 1, ln 2, ln 5 is minus the logarithm of the label's share") {
  const Numbers scores{0.0F, std::log(2.0F), std::log(5.0F)};
  CHECK(value(scores, {1}).loss_sum == Approx(std::log(4.0)));
  CHECK(value(scores, {1}).correct == 0);
  CHECK(value(scores, {2}).correct == 1);
  const Numbers slope = gradient(scores, {1}, 2.0);
  CHECK(slope[0] == Approx(0.125 / 2));
  CHECK(slope[1] == Approx((0.25 - 1) / 2));
  CHECK(slope[2] == Approx(0.625 / 2));
}

TEST_CASE("every token of a sequence is a prediction with its own label") {
  const auto loss = softmax_over(2, 3);
  CHECK(loss->predictions_per_sample() == 3);
  const float ln3 = std::log(3.0F);  // shares 3/4 and 1/4
  const Numbers scores{ln3, 0, ln3, 0, 0, ln3, 0, ln3, ln3, 0, ln3, 0};
  const Labels labels{0, 1, 1, 0, 0, 1};  // two samples of three tokens: shares 3/4, 1/4, 3/4, 1/4, 3/4, 1/4
  const BatchResult result = loss->value(scores, {labels});
  CHECK(result.loss_sum == Approx(3 * std::log(4.0 / 3) + 3 * std::log(4.0)));
  CHECK(result.correct == 3);
  CHECK(result.samples == 6);
  Numbers slope(12);
  loss->gradient(scores, {labels}, -2.0, slope);  // a negative divisor: the step of a descent
  CHECK(slope[0] == Approx(0.25 / 2));
  CHECK(slope[1] == Approx(-0.25 / 2));
  CHECK(slope[2] == Approx(-0.75 / 2));
}

TEST_CASE("huge scores neither overflow nor lose the loss") {
  const BatchResult result = value({1000.0F, 0.0F}, {1});
  CHECK(result.loss_sum == Approx(1000.0));
  CHECK(gradient({1000.0F, 0.0F}, {1}, 1.0) == Numbers{1.0F, -1.0F});
  CHECK(value({-3e38F, 3e38F}, {0}).loss_sum == Approx(6e38));
}

TEST_CASE("a score that is no number or infinite makes the loss not finite, wherever it stands") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity}) {
    for (const std::size_t classes : {std::size_t{3}, std::size_t{37}}) {
      for (std::size_t place = 0; place < classes; ++place) {
        Numbers scores(classes, 1.0F);
        scores[place] = bad;
        CHECK_FALSE(std::isfinite(value(scores, {0}).loss_sum));
        CHECK(value(scores, {0}).correct == 0);
        CHECK(std::isnan(gradient(scores, {0}, 1.0)[0]));
      }
    }
  }
}

TEST_CASE("many classes agree with the softmax in double") {
  Random random(2);
  const std::size_t classes = 1000;
  const Numbers scores = gradient_check::normal_numbers(2 * classes, 3.0F, random);
  const Labels labels{17, 998};
  double expected = 0;
  const Numbers slope = gradient(scores, labels, 1.0);
  for (std::size_t row = 0; row < 2; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < classes; ++i) sum += std::exp(static_cast<double>(scores[row * classes + i]));
    const auto label = row * classes + static_cast<std::size_t>(labels[row]);
    expected += std::log(sum) - scores[label];
    for (std::size_t i = row * classes; i < (row + 1) * classes; ++i) {
      const double share = std::exp(static_cast<double>(scores[i])) / sum;
      CHECK(std::abs(slope[i] - (share - (i == label ? 1 : 0))) < 1e-6 * share + 1e-7);
    }
  }
  CHECK(value(scores, labels).loss_sum == Approx(expected).epsilon(1e-6));
}

TEST_CASE("the gradient of the loss agrees with finite differences") {
  const Numbers scores{0.3F, -1.2F, 0.7F, 2.0F, 0.1F, -0.4F};
  const Labels labels{2, 0};
  constexpr float step = 1.0F / 128;  // error: third derivative (at most 1) x h^2 / 6 = 1e-5
  CHECK(gradient_check::worst_difference(scores, gradient(scores, labels, 2.0), step,
                                         [&](const Numbers& at) { return value(at, labels).loss_sum / 2; }) < 5e-5);
}

TEST_CASE("a label that is no class, or labels that do not cover the scores, break a promise") {
  const auto loss = softmax_over(2);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{0, 2}}), ContractViolation);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{0, -1}}), ContractViolation);
  CHECK_THROWS_AS(loss->value(Numbers(4), {Labels{0}}), ContractViolation);
}

}  // namespace
}  // namespace orrery
