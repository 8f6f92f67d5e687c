// Forward and backward passes on numbers that a reader can work out by hand.
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

TEST_CASE("a dense layer multiplies by its weights, column by column, and adds its biases") {
  RunLayer dense(small_layer(LayerKind::dense, {1, 1, 2}, {.channels = 3}));
  // W = (1 4; 2 5; 3 6), b = (10, 20, 30); samples (1, 0) and (1, 2).
  const Numbers parameters{1, 2, 3, 4, 5, 6, 10, 20, 30};
  CHECK(dense.forward(parameters, {1, 0, 1, 2}) == Numbers{11, 22, 33, 19, 32, 45});
  const auto gradients = dense.backward({1, 0, 0, 0, 1, 1});
  // dW = sum of gradient x input: row 1 (1, 0), rows 2 and 3 (1, 2); db = sums; dX = W^T gradient.
  CHECK(gradients.parameters == Numbers{1, 1, 1, 0, 2, 2, 1, 1, 1});
  CHECK(gradients.input == Numbers{1, 4, 5, 11});
}

TEST_CASE("a dense layer without biases has none") {
  RunLayer dense(small_layer(LayerKind::dense, {1, 1, 2}, {.channels = 1, .bias = false}));
  CHECK(dense.parameters() == 2);
  CHECK(dense.forward({3, 4}, {1, 1, 2, 0}) == Numbers{7, 6});
}

TEST_CASE("a convolution slides its window over the image and pads with zeros") {
  const Numbers image{1, 2, 3, 4, 5, 6, 7, 8, 9};  // 3 x 3
  const Numbers ones(9, 1.0F);
  SECTION("valid: only whole windows") {
    RunLayer layer(small_layer(LayerKind::convolution, {3, 3, 1}, {.channels = 1, .kernel = 2, .bias = false}));
    // Window weights (1 2; 3 4): 1 + 4 + 12 + 20 = 37 and so on.
    CHECK(layer.forward({1, 2, 3, 4}, image) == Numbers{37, 47, 67, 77});
    const auto gradients = layer.backward({1, 0, 0, 0});
    CHECK(gradients.parameters == Numbers{1, 2, 4, 5});
    CHECK(gradients.input == Numbers{1, 2, 0, 3, 4, 0, 0, 0, 0});
  }
  SECTION("same: a padding of 1 keeps 3 x 3") {
    RunLayer layer(
        small_layer(LayerKind::convolution, {3, 3, 1}, {.channels = 1, .kernel = 3, .padding = 1, .bias = false}));
    CHECK(layer.forward(ones, image) == Numbers{12, 21, 16, 27, 45, 33, 24, 39, 28});
  }
  SECTION("stride 2 takes every second window") {
    RunLayer layer(
        small_layer(LayerKind::convolution, {3, 3, 1}, {.channels = 1, .kernel = 1, .stride = 2, .bias = false}));
    CHECK(layer.forward({2}, image) == Numbers{2, 6, 14, 18});
  }
}

TEST_CASE("a convolution mixes channels, which lie together in every pixel") {
  RunLayer layer(small_layer(LayerKind::convolution, {1, 2, 2}, {.channels = 2, .kernel = 1}));
  // Two pixels (1, 2), (3, 4); W = (1 10; 1 -1) by out x in channel, b = (0, 100).
  CHECK(layer.forward({1, 1, 10, -1, 0, 100}, {1, 2, 3, 4}) == Numbers{21, 99, 43, 99});
  CHECK(layer.backward({1, 0, 1, 1}).parameters == Numbers{4, 3, 6, 4, 2, 1});
}

TEST_CASE("max pooling takes the largest number of each window and sends the gradient back to it") {
  RunLayer pool(small_layer(LayerKind::max_pool, {2, 4, 1}, {.kernel = 2, .stride = 2}));
  CHECK(pool.forward({}, {1, 5, 2, 2, 3, 4, 8, 2}) == Numbers{5, 8});
  CHECK(pool.backward({10, 20}).input == Numbers{0, 10, 0, 0, 0, 0, 20, 0});
}

TEST_CASE("of equal numbers max pooling chooses the first") {
  RunLayer pool(small_layer(LayerKind::max_pool, {2, 2, 1}, {.kernel = 2, .stride = 2}));
  pool.forward({}, {3, 3, 3, 3});
  CHECK(pool.backward({1}).input == Numbers{1, 0, 0, 0});
}

TEST_CASE("overlapping max pooling windows add their gradients, padding is never the maximum") {
  RunLayer pool(small_layer(LayerKind::max_pool, {1, 3, 1}, {.kernel = 3, .stride = 1, .padding = 1}));
  CHECK(pool.forward({}, {-5, -1, -9}) == Numbers{-1, -1, -1});
  CHECK(pool.backward({1, 2, 4}).input == Numbers{0, 7, 0});
}

TEST_CASE("average pooling takes the mean and spreads the gradient evenly") {
  RunLayer pool(small_layer(LayerKind::average_pool, {2, 2, 2}, {.kernel = 2, .stride = 2}));
  CHECK(pool.forward({}, {1, 10, 2, 20, 3, 30, 6, 40}) == Numbers{3, 25});
  CHECK(pool.backward({4, 8}).input == Numbers{1, 2, 1, 2, 1, 2, 1, 2});
}

TEST_CASE("global average pooling takes the mean of the whole image, tall or wide") {
  RunLayer pool(small_layer(LayerKind::global_average_pool, {1, 4, 1}));
  CHECK(pool.forward({}, {1, 2, 3, 6}) == Numbers{3});
  CHECK(pool.backward({4}).input == Numbers{1, 1, 1, 1});
}

TEST_CASE("activations have their textbook values and slopes") {
  const Shape three{1, 1, 3};
  RunLayer relu(small_layer(LayerKind::relu, three)), tanh(small_layer(LayerKind::tanh, three)),
      sigmoid(small_layer(LayerKind::sigmoid, three));
  CHECK(relu.forward({}, {-1, 0, 2}) == Numbers{0, 0, 2});
  CHECK(relu.backward({5, 6, 7}).input == Numbers{0, 0, 7});
  const Numbers t = tanh.forward({}, {0, 1, -20});
  CHECK(t[1] == Approx(0.76159416));
  CHECK(t[2] == Approx(-1.0));
  CHECK(tanh.backward({1, 1, 1}).input[1] == Approx(0.41997434));
  const Numbers s = sigmoid.forward({}, {0, 1, 100});
  CHECK(s[0] == Approx(0.5));
  CHECK(s[1] == Approx(0.73105858));
  CHECK(s[2] == Approx(1.0));
  CHECK(sigmoid.backward({1, 1, 1}).input[0] == Approx(0.25));
}

TEST_CASE("an activation passes a NaN on, so that divergence shows") {
  for (const LayerKind kind : {LayerKind::relu, LayerKind::tanh, LayerKind::sigmoid}) {
    RunLayer layer(small_layer(kind, {1, 1, 17}));
    Numbers input(17, 0.5F);
    input[3] = input[16] = std::numeric_limits<float>::quiet_NaN();
    const Numbers output = layer.forward({}, input);
    INFO(name_of(kind));
    CHECK(std::isnan(output[3]));
    CHECK(std::isnan(output[16]));
    CHECK(std::isfinite(output[4]));
  }
}

}  // namespace
}  // namespace orrery
