#include "models/kernels/softmax_cross_entropy.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;
using Labels = std::vector<std::int32_t>;

TEST_CASE("equal scores of k classes cost ln k, and the first class counts as the guess") {
  const BatchResult result = softmax_cross_entropy(Numbers(20, 3.0F), Labels{0, 9});
  CHECK(result.loss_sum == Approx(2 * std::log(10.0)));
  CHECK(result.correct == 1);
  CHECK(result.samples == 2);
}

TEST_CASE("the loss of scores ln 1, ln 2, ln 5 is minus the logarithm of the label's share") {
  const Numbers scores{0.0F, std::log(2.0F), std::log(5.0F)};
  CHECK(softmax_cross_entropy(scores, Labels{1}).loss_sum == Approx(std::log(4.0)));
  CHECK(softmax_cross_entropy(scores, Labels{1}).correct == 0);
  CHECK(softmax_cross_entropy(scores, Labels{2}).correct == 1);
  Numbers gradient(3);
  softmax_cross_entropy_gradient(scores, Labels{1}, 2.0, gradient);
  CHECK(gradient[0] == Approx(0.125 / 2));
  CHECK(gradient[1] == Approx((0.25 - 1) / 2));
  CHECK(gradient[2] == Approx(0.625 / 2));
}

TEST_CASE("huge scores neither overflow nor lose the loss") {
  const BatchResult result = softmax_cross_entropy(Numbers{1000.0F, 0.0F}, Labels{1});
  CHECK(result.loss_sum == Approx(1000.0));
  Numbers gradient(2);
  softmax_cross_entropy_gradient(Numbers{1000.0F, 0.0F}, Labels{1}, 1.0, gradient);
  CHECK(gradient == Numbers{1.0F, -1.0F});
}

TEST_CASE("a score that is no number or infinite makes the loss not finite") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const Numbers& scores : {Numbers{nan, 1, 2}, Numbers{1, 2, nan}, Numbers{1, infinity, 2}}) {
    CHECK_FALSE(std::isfinite(softmax_cross_entropy(scores, Labels{0}).loss_sum));
  }
}

TEST_CASE("the gradient of the loss agrees with finite differences") {
  Numbers scores{0.3F, -1.2F, 0.7F, 2.0F, 0.1F, -0.4F};
  const Labels labels{2, 0};
  Numbers gradient(scores.size());
  softmax_cross_entropy_gradient(scores, labels, 2.0, gradient);
  constexpr float step = 1.0F / 128;  // error: third derivative (at most 1) x h^2 / 6 = 1e-5
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const float at = scores[i];
    scores[i] = at + step;
    const double high = softmax_cross_entropy(scores, labels).loss_sum;
    scores[i] = at - step;
    const double low = softmax_cross_entropy(scores, labels).loss_sum;
    scores[i] = at;
    CHECK(gradient[i] == Approx((high - low) / (2 * step) / 2.0).margin(5e-5));
  }
}

TEST_CASE("a label that is no class breaks a promise") {
  CHECK_THROWS_AS(softmax_cross_entropy(Numbers(4), Labels{0, 2}), ContractViolation);
  CHECK_THROWS_AS(softmax_cross_entropy(Numbers(4), Labels{0, -1}), ContractViolation);
}

}  // namespace
}  // namespace orrery
