#include <cmath>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Layer dropout_layer(double rate, std::int64_t count, std::size_t id = 3) {
  Layer layer = small_layer(LayerKind::dropout, {1, 1, count});
  layer.rate = rate;
  layer.id = LayerId(id);
  return layer;
}

/// What dropout makes of ones.
Numbers factors(const Layer& layer, std::int64_t samples, const BatchContext& context = {.seed = 5}) {
  RunLayer run(layer);
  run.context = context;
  return run.forward({}, Numbers(static_cast<std::size_t>(samples * layer.in.count()), 1.0F));
}

TEST_CASE("dropout drops its share and divides the rest by what is left, so that the mean stays") {
  for (const double rate : {0.1, 0.25, 0.5, 0.9}) {
    constexpr double count = 200'000;
    double dropped = 0, kept = 0, sum = 0;
    for (const float factor : factors(dropout_layer(rate, 20'000), 10)) {
      if (factor == 0) dropped += 1;
      if (factor == static_cast<float>(1 / (1 - rate))) kept += 1;
      sum += factor;
    }
    CHECK(dropped + kept == count);
    // Four standard deviations of a share of 200,000 fair draws; the mean follows the share.
    const double bound = 4 * std::sqrt(rate * (1 - rate) / count);
    CHECK(std::abs(dropped / count - rate) < bound);
    CHECK(std::abs(sum / count - 1) < bound / (1 - rate));
  }
}

TEST_CASE("neighbouring draws of dropout are independent: pairs fall as often as the product of their chances") {
  const Numbers drawn = factors(dropout_layer(0.5, 100'000), 2);
  for (const std::size_t distance : {1U, 2U, 16U, 1024U, 100'000U}) {  // the last: the same place of two samples
    double both = 0;
    const std::size_t pairs = 100'000;
    for (std::size_t i = 0; i < pairs; ++i) both += drawn[i] == 0 && drawn[(i + distance) % drawn.size()] == 0;
    CHECK(std::abs(both / static_cast<double>(pairs) - 0.25) < 4 * std::sqrt(0.25 * 0.75 / static_cast<double>(pairs)));
  }
}

TEST_CASE("the backward pass of dropout uses the factors of the forward pass") {
  RunLayer run(dropout_layer(0.3, 50));
  const Numbers ones(150, 1.0F);
  const Numbers forward = run.forward({}, ones);
  CHECK(run.backward(ones).input == forward);
}

TEST_CASE("what dropout draws for a sample does not depend on the shard that it is in") {
  const Layer layer = dropout_layer(0.5, 33);
  const Numbers whole = factors(layer, 6);
  Numbers parts = factors(layer, 2);
  for (const auto& [first, samples] : {std::pair{2, 3}, std::pair{5, 1}}) {
    const Numbers part = factors(layer, samples, {.seed = 5, .first_sample = first});
    parts.insert(parts.end(), part.begin(), part.end());
  }
  CHECK(parts == whole);
}

TEST_CASE("dropout draws anew for every step, layer and sample") {
  const Numbers drawn = factors(dropout_layer(0.5, 64), 2);
  CHECK(factors(dropout_layer(0.5, 64), 2) == drawn);
  CHECK(factors(dropout_layer(0.5, 64), 2, {.seed = 6}) != drawn);
  CHECK(factors(dropout_layer(0.5, 64, 4), 2) != drawn);
  CHECK(Numbers(drawn.begin(), drawn.begin() + 64) != Numbers(drawn.begin() + 64, drawn.end()));
}

TEST_CASE("dropout leaves the numbers as they are on evaluation and at rate 0") {
  const Numbers ones(64, 1.0F);
  CHECK(factors(dropout_layer(0.5, 64), 1, {.mode = Mode::evaluation, .seed = 5}) == ones);
  CHECK(factors(dropout_layer(0, 64), 1) == ones);
}

TEST_CASE("dropout refuses to drop everything") {
  CHECK_THROWS_AS(make_layer_kernel(dropout_layer(1, 4)), ContractViolation);
}

}  // namespace
}  // namespace orrery
