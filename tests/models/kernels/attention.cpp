// Attention on numbers that a reader can work out, and against a softmax over all keys in double.
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

struct Heads {
  std::int64_t tokens = 1, heads = 1, kv_heads = 1, size = 1;
  bool causal = false;
};

Layer attention_layer(const Heads& of) {
  Layer layer = small_layer(LayerKind::attention, {of.tokens, 1, (of.heads + 2 * of.kv_heads) * of.size});
  layer.out = {of.tokens, 1, of.heads * of.size};
  layer.heads = of.heads;
  layer.kv_heads = of.kv_heads;
  layer.causal = of.causal;
  return layer;
}

Numbers random_input(const Layer& layer, std::int64_t samples, float spread) {
  Random random(8);
  Numbers numbers(static_cast<std::size_t>(samples * layer.in.count()));
  for (float& number : numbers) number = spread * static_cast<float>(random.normal());
  return numbers;
}

/// softmax(q k^T / sqrt(size)) v of one query of one head, straight from the definition.
std::vector<double> reference(const Heads& of, const float* sample, std::int64_t head, std::int64_t query) {
  const std::int64_t channels = (of.heads + 2 * of.kv_heads) * of.size, shared = head * of.kv_heads / of.heads;
  const std::int64_t last = of.causal ? query : of.tokens - 1;
  std::vector<double> weights, result(static_cast<std::size_t>(of.size));
  double sum = 0, highest = -std::numeric_limits<double>::infinity();
  for (std::int64_t key = 0; key <= last; ++key) {
    double score = 0;
    for (std::int64_t c = 0; c < of.size; ++c) {
      score += static_cast<double>(sample[query * channels + head * of.size + c]) *
               sample[key * channels + (of.heads + shared) * of.size + c];
    }
    weights.push_back(score / std::sqrt(static_cast<double>(of.size)));
    highest = std::max(highest, weights.back());
  }
  for (double& weight : weights) sum += weight = std::exp(weight - highest);
  for (std::int64_t key = 0; key <= last; ++key) {
    const float* value = sample + key * channels + (of.heads + of.kv_heads + shared) * of.size;
    for (std::size_t c = 0; c < result.size(); ++c)
      result[c] += weights[static_cast<std::size_t>(key)] / sum * value[c];
  }
  return result;
}

double worst_difference(const Heads& of, std::int64_t samples, float spread) {
  const Layer layer = attention_layer(of);
  const Numbers input = random_input(layer, samples, spread);
  const Numbers output = RunLayer(layer).forward({}, input);
  double worst = 0;
  const float* at = output.data();
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    for (std::int64_t query = 0; query < of.tokens; ++query) {
      for (std::int64_t head = 0; head < of.heads; ++head) {
        for (const double exact : reference(of, input.data() + sample * layer.in.count(), head, query)) {
          worst = std::max(worst, std::abs(exact - *at++));
        }
      }
    }
  }
  return worst;
}

TEST_CASE("attention over two tokens: equal scores average, a score ahead by ln 3 gets three quarters") {
  const Layer layer = attention_layer({.tokens = 2});
  const float ln3 = std::log(3.0F);
  // Tokens (query, key, value): scores of the first query 0 and 0; of the second 0 and ln 3.
  const Numbers input{0, 0, 10, 1, ln3, 20};
  const Numbers output = RunLayer(layer).forward({}, input);
  CHECK(output[0] == Approx(15));
  CHECK(output[1] == Approx(0.25 * 10 + 0.75 * 20));
}

TEST_CASE("the gradients of attention over two tokens are those worked out by hand") {
  RunLayer run(attention_layer({.tokens = 2}));
  const float ln3 = std::log(3.0F);
  run.forward({}, {0, 0, 10, 1, ln3, 20});
  // Second query only: probabilities p = (1/4, 3/4), output 17.5, so d score = p (value - 17.5) = (-1.875, 1.875).
  // d query = sum of d score times key = 1.875 ln 3; d key = d score times query = d score; d value = p.
  const Numbers gradient = run.backward({0, 1}).input;
  CHECK(gradient[0] == Approx(0).margin(1e-6));
  CHECK(gradient[1] == Approx(-1.875));
  CHECK(gradient[2] == Approx(0.25));
  CHECK(gradient[3] == Approx(1.875 * ln3));
  CHECK(gradient[4] == Approx(1.875));
  CHECK(gradient[5] == Approx(0.75));
}

TEST_CASE("causal attention: the first token sees itself alone, and no gradient goes to what comes later") {
  RunLayer run(attention_layer({.tokens = 2, .causal = true}));
  const Numbers output = run.forward({}, {0, 0, 10, 1, 0, 20});
  CHECK(output[0] == Approx(10));
  CHECK(output[1] == Approx(15));
  const Numbers gradient = run.backward({1, 0}).input;
  CHECK(gradient[2] == Approx(1));
  CHECK(gradient[4] == 0);
  CHECK(gradient[5] == 0);
}

TEST_CASE("scores are divided by the root of the head size") {
  // Head size 4: q k = 2 ln 3, so the score is ln 3.
  const Layer layer = attention_layer({.tokens = 2, .size = 4});
  const float ln3 = std::log(3.0F);
  const Numbers output =
      RunLayer(layer).forward({}, {1, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, ln3, 0, 0, ln3, 8, 8, 0, 0});
  CHECK(output[0] == Approx(6));
  CHECK(output[1] == Approx(7));
}

TEST_CASE("grouped queries: two query heads share a key head in runs") {
  // 4 query heads, 2 key heads, 1 token: the output of a head is the value of its key head.
  RunLayer run(attention_layer({.tokens = 1, .heads = 4, .kv_heads = 2}));
  CHECK(run.forward({}, {1, 2, 3, 4, 0, 0, 50, 60}) == Numbers{50, 50, 60, 60});
  const Numbers gradient = run.backward({1, 2, 3, 4}).input;
  CHECK(gradient[6] == 3);
  CHECK(gradient[7] == 7);
}

TEST_CASE("attention by blocks is the softmax over all keys, for tokens around the size of a block") {
  for (const bool causal : {false, true}) {
    for (const std::int64_t tokens : {1, 2, 15, 16, 17, 28, 63, 64, 65, 127, 128, 129, 200}) {
      INFO("tokens " << tokens << " causal " << causal);
      CHECK(worst_difference({.tokens = tokens, .heads = 2, .kv_heads = 1, .size = 8, .causal = causal}, 2, 1.0F) <
            1e-5);
    }
  }
}

TEST_CASE("attention with sharp scores does not overflow: scores of hundreds choose one value") {
  CHECK(worst_difference({.tokens = 70, .heads = 3, .kv_heads = 3, .size = 16}, 1, 10.0F) < 1e-3);
  const Numbers output = RunLayer(attention_layer({.tokens = 2})).forward({}, {300, 0, 10, 300, 300, 20});
  CHECK(output == Numbers{20, 20});
}

TEST_CASE("attention keeps one number per head and token, and scratch does not grow with the tokens") {
  const auto shorter = make_layer_kernel(attention_layer({.tokens = 100, .heads = 4, .kv_heads = 2, .size = 8}));
  const auto longer = make_layer_kernel(attention_layer({.tokens = 1000, .heads = 4, .kv_heads = 2, .size = 8}));
  CHECK(shorter->kept_count() == 400);
  CHECK(longer->kept_count() == 4000);
  CHECK(longer->scratch_count(8) == shorter->scratch_count(1));
}

TEST_CASE("attention passes a NaN on to every token that sees it") {
  RunLayer run(attention_layer({.tokens = 3, .causal = true}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Numbers output = run.forward({}, {1, 1, 1, 1, nan, 1, 1, 1, 1});
  CHECK(output[0] == 1);
  CHECK(std::isnan(output[1]));
  CHECK(std::isnan(output[2]));
}

TEST_CASE("attention refuses channels that are no heads") {
  Layer layer = attention_layer({.tokens = 2, .heads = 2, .kv_heads = 2, .size = 4});
  layer.kv_heads = 1;
  CHECK_THROWS_AS(make_layer_kernel(layer), ContractViolation);
}

}  // namespace
}  // namespace orrery
