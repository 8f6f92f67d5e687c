// The layers of transformers on numbers that a reader can work out by hand.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

constexpr double pi = std::numbers::pi;

/// What initialise() gives a layer.
Numbers first_parameters(const Layer& layer) {
  const auto kernel = make_layer_kernel(layer);
  const ParameterCount count = kernel->parameter_count();
  Numbers parameters(static_cast<std::size_t>(count.weights + count.biases), 7.0F);
  Random random(1);
  kernel->initialise(parameters, random);
  return parameters;
}

double deviation(const Numbers& numbers) {
  double squares = 0;
  for (const float number : numbers) squares += static_cast<double>(number) * number;
  return std::sqrt(squares / static_cast<double>(numbers.size()));
}

TEST_CASE("a dense layer over positions treats every position alike and adds up their gradients") {
  RunLayer dense(small_layer(LayerKind::dense, {2, 1, 2}, {.channels = 1}));
  // W = (1 2), b = 10; one sample of the positions (1, 0), (3, 4).
  CHECK(dense.forward({1, 2, 10}, {1, 0, 3, 4}) == Numbers{11, 21});
  const auto gradients = dense.backward({1, 2});
  CHECK(gradients.parameters == Numbers{7, 8, 3});
  CHECK(gradients.input == Numbers{1, 2, 2, 4});
}

TEST_CASE("a tied dense layer multiplies by the transpose of the embedding's table") {
  Layer layer = small_layer(LayerKind::dense, {1, 1, 2}, {.channels = 3});
  layer.tied = true;
  RunLayer dense(layer);
  CHECK(dense.parameters() == 3);
  // Table 2 x 3: the vectors of three words are (1, 2), (3, 4), (5, 6).
  CHECK(dense.forward({10, 20, 30}, {1, -1}, {}, {1, 2, 3, 4, 5, 6}) == Numbers{9, 19, 29});
  const auto gradients = dense.backward({1, 0, 2});
  CHECK(gradients.input == Numbers{11, 14});
  CHECK(gradients.tied == Numbers{1, -1, 0, 0, 2, -2});
  CHECK(gradients.parameters == Numbers{1, 0, 2});
}

TEST_CASE("layer normalisation: mean 0 and variance 1 per position, then scale and shift") {
  const Layer layer = small_layer(LayerKind::layer_norm, {2, 1, 2});
  RunLayer norm(layer);
  // (1, 3): mean 2, deviation 1. (0, 2e3): deviation 1e3, so the smallest variance 1e-5 does not show.
  const Numbers output = norm.forward({2, 3, 10, 20}, {1, 3, 0, 2000});
  CHECK(output[0] == Approx(8).epsilon(1e-5));
  CHECK(output[1] == Approx(23).epsilon(1e-5));
  CHECK(output[2] == Approx(8));
  CHECK(output[3] == Approx(23));
  // The normalised numbers are -1 and 1; scales add gradient times number, shifts the gradient.
  const Numbers gradient = norm.backward({1, 1, 1, 2}).parameters;
  CHECK(gradient[0] == Approx(-2).epsilon(1e-5));
  CHECK(gradient[1] == Approx(3).epsilon(1e-5));
  CHECK(gradient[2] == 2);
  CHECK(gradient[3] == 3);
  CHECK(first_parameters(layer) == Numbers{1, 1, 0, 0});
}

TEST_CASE("layer normalisation of equal numbers is their shift: the smallest variance keeps it finite") {
  RunLayer norm(small_layer(LayerKind::layer_norm, {1, 1, 4}));
  CHECK(norm.forward({1, 1, 1, 1, 5, 6, 7, 8}, {3, 3, 3, 3}) == Numbers{5, 6, 7, 8});
}

TEST_CASE("layer normalisation far from 0 keeps its digits") {
  RunLayer norm(small_layer(LayerKind::layer_norm, {1, 1, 2}));
  const Numbers output = norm.forward({1, 1, 0, 0}, {100'000, 100'002});
  CHECK(output[0] == Approx(-1).epsilon(1e-4));
  CHECK(output[1] == Approx(1).epsilon(1e-4));
}

TEST_CASE("root-mean-square normalisation divides by the root of the mean square and scales") {
  const Layer layer = small_layer(LayerKind::rms_norm, {1, 1, 2});
  RunLayer norm(layer);
  // (1, 7): mean square 25.
  const Numbers output = norm.forward({10, 100}, {1, 7});
  CHECK(output[0] == Approx(2));
  CHECK(output[1] == Approx(140));
  const Numbers gradient = norm.backward({1, 1}).parameters;
  CHECK(gradient[0] == Approx(0.2));
  CHECK(gradient[1] == Approx(1.4));
  CHECK(first_parameters(layer) == Numbers{1, 1});
}

Layer embedding_layer() {
  Layer layer = small_layer(LayerKind::embedding, {2, 1, 1}, {.channels = 2});
  layer.vocabulary = 3;
  layer.positions = 2;
  layer.segments = 2;
  return layer;
}

TEST_CASE("an embedding adds up the rows of word, position and first segment") {
  RunLayer embedding(embedding_layer());
  // Words (1, 2), (3, 4), (5, 6); positions (10, 20), (30, 40); segments (100, 200), (0, 0).
  const Numbers tables{1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 100, 200, 0, 0};
  CHECK(embedding.forward(tables, {2, 0, 2, 2}) == Numbers{115, 226, 131, 242, 115, 226, 135, 246});
  const Numbers gradient = embedding.backward({1, 2, 3, 4, 5, 6, 7, 8}).parameters;
  CHECK(gradient == Numbers{3, 4, 0, 0, 13, 16, 6, 8, 10, 12, 16, 20, 0, 0});
}

TEST_CASE("a token outside the vocabulary breaks a promise") {
  RunLayer embedding(embedding_layer());
  const Numbers tables(14, 1.0F);
  for (const float token : {-1.0F, 3.0F, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK_THROWS_AS(embedding.forward(tables, {0, token}), ContractViolation);
  }
}

TEST_CASE("embeddings start small: deviation 0.02") {
  Layer words = small_layer(LayerKind::embedding, {4, 1, 1}, {.channels = 50});
  words.vocabulary = 100;
  // The deviation of 5,000 draws is known to a hundredth of itself, that of 2,000 to a sixtieth.
  CHECK(deviation(first_parameters(words)) == Approx(0.02).epsilon(0.04));
  CHECK(deviation(first_parameters(small_layer(LayerKind::position_embedding, {40, 1, 50}))) ==
        Approx(0.02).epsilon(0.06));
}

TEST_CASE("a position embedding adds the vector of every position to every sample") {
  RunLayer positions(small_layer(LayerKind::position_embedding, {2, 1, 2}));
  CHECK(positions.forward({1, 2, 3, 4}, {0, 0, 0, 0, 10, 10, 10, 10}) == Numbers{1, 2, 3, 4, 11, 12, 13, 14});
  const auto gradients = positions.backward({1, 2, 3, 4, 10, 20, 30, 40});
  CHECK(gradients.parameters == Numbers{11, 22, 33, 44});
  CHECK(gradients.input == Numbers{1, 2, 3, 4, 10, 20, 30, 40});
}

TEST_CASE("a residual addition adds, and its gradient goes both ways") {
  RunLayer add(small_layer(LayerKind::residual_add, {1, 1, 3}));
  CHECK(add.forward({}, {1, 2, 3}, {10, 20, 30}) == Numbers{11, 22, 33});
  const auto gradients = add.backward({4, 5, 6});
  CHECK(gradients.input == Numbers{4, 5, 6});
  CHECK(gradients.second == Numbers{4, 5, 6});
}

TEST_CASE("a concatenation puts the channels of both operands side by side at every position") {
  RunLayer both(small_layer(LayerKind::concatenate, {2, 1, 1}, {.channels = 3}));
  CHECK(both.forward({}, {1, 2}, {10, 20, 30, 40}) == Numbers{1, 10, 20, 2, 30, 40});
  const auto gradients = both.backward({1, 2, 3, 4, 5, 6});
  CHECK(gradients.input == Numbers{1, 4});
  CHECK(gradients.second == Numbers{2, 3, 5, 6});
}

TEST_CASE("GELU and SiLU have their textbook values and slopes") {
  RunLayer gelu(small_layer(LayerKind::gelu, {1, 1, 4})), silu(small_layer(LayerKind::silu, {1, 1, 4}));
  const Numbers g = gelu.forward({}, {0, 1, -1, 10});
  CHECK(g[0] == 0);
  CHECK(g[1] == Approx(0.84134475));   // Phi(1)
  CHECK(g[2] == Approx(-0.15865525));  // -Phi(-1)
  CHECK(g[3] == 10);
  const Numbers g_slope = gelu.backward({1, 1, 1, 1}).input;
  CHECK(g_slope[0] == Approx(0.5));
  CHECK(g_slope[1] == Approx(0.84134475 + 0.24197072));  // Phi(1) + the density at 1
  const Numbers s = silu.forward({}, {0, 1, -1, 100});
  CHECK(s[0] == 0);
  CHECK(s[1] == Approx(0.73105858));
  CHECK(s[2] == Approx(-0.26894142));
  CHECK(s[3] == 100);
  CHECK(silu.backward({1, 1, 1, 1}).input[1] == Approx(0.73105858 + 0.73105858 * 0.26894142));
}

TEST_CASE("GELU, SiLU and their slopes are right to 1e-6 from -12 to 12") {
  Numbers grid(24'001);
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = static_cast<float>(static_cast<double>(i) / 1000 - 12);
  const Shape shape{1, 1, static_cast<std::int64_t>(grid.size())};
  RunLayer gelu(small_layer(LayerKind::gelu, shape)), silu(small_layer(LayerKind::silu, shape));
  const Numbers gelu_values = gelu.forward({}, grid), silu_values = silu.forward({}, grid), ones(grid.size(), 1.0F);
  const Numbers gelu_slopes = gelu.backward(ones).input, silu_slopes = silu.backward(ones).input;
  double worst = 0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const double x = grid[i], size = std::max(1.0, std::abs(x));
    const double below = 0.5 * std::erfc(-x / std::sqrt(2.0)), density = std::exp(-x * x / 2) / std::sqrt(2 * pi);
    const double s = 1 / (1 + std::exp(-x));
    worst =
        std::max({worst, std::abs(gelu_values[i] - x * below) / size, std::abs(silu_values[i] - x * s) / size,
                  std::abs(gelu_slopes[i] - (below + x * density)), std::abs(silu_slopes[i] - s * (1 + x * (1 - s)))});
  }
  CHECK(worst < 1e-6);
}

TEST_CASE("a NaN goes through every layer of a transformer") {
  for (const LayerKind kind : {LayerKind::gelu, LayerKind::silu, LayerKind::dropout, LayerKind::layer_norm,
                               LayerKind::rms_norm, LayerKind::position_embedding}) {
    Layer layer = small_layer(kind, {1, 1, 17});
    layer.rate = 0.9;
    RunLayer run(layer);
    Numbers input(17, 0.5F);
    input[3] = input[16] = std::numeric_limits<float>::quiet_NaN();
    const Numbers output = run.forward(Numbers(run.parameters(), 1.0F), input);
    INFO(name_of(kind));
    CHECK(std::isnan(output[3]));
    CHECK(std::isnan(output[16]));
  }
}

TEST_CASE("a view is the same numbers: neither pass does anything") {
  Layer layer = small_layer(LayerKind::flatten, {2, 3, 4});
  CHECK(make_layer_kernel(layer)->output_storage() == OutputStorage::same_as_input);
  layer.out.channels = 23;
  CHECK_THROWS_AS(make_layer_kernel(layer), ContractViolation);
}

}  // namespace
}  // namespace orrery
