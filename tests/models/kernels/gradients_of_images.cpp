// Gradients of the layers of image networks against finite differences.
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/image_layers.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

TEST_CASE("the gradients of convolutions in groups agree with finite differences") {
  for (const std::int64_t kernel : {1, 2, 3}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t groups : {2, 4}) {
        const std::int64_t padding = kernel / 2;
        check_gradients(convolution_layer(
            {5, 4, 4}, {.channels = 8, .kernel = kernel, .stride = stride, .padding = padding, .groups = groups}));
        check_gradients(convolution_layer(
            {5, 4, 4}, {.channels = 4, .kernel = kernel, .stride = stride, .groups = groups, .bias = false}));
      }
    }
  }
}

TEST_CASE("the gradients of transposed convolutions agree with finite differences") {
  for (const std::int64_t kernel : {1, 2, 3, 4}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t padding : {std::int64_t{0}, (kernel - 1) / 2}) {
        check_gradients(convolution_layer(
            {3, 4, 3}, {.channels = 2, .kernel = kernel, .stride = stride, .padding = padding, .bias = padding == 0},
            LayerKind::transposed_convolution));
      }
    }
  }
}

TEST_CASE("the gradients of convolutions that are computed directly agree with finite differences") {
  check_gradients(convolution_layer({9, 10, 5}, {.channels = 6, .padding = 1}), {.samples = 1});
  check_gradients(convolution_layer({11, 8, 4}, {.channels = 3, .kernel = 5, .padding = 2, .bias = false}),
                  {.samples = 2});
}

TEST_CASE("the gradients of pooling with padding agree with finite differences") {
  check_gradients(small_layer(LayerKind::average_pool, {5, 6, 3}, {.kernel = 3, .stride = 2, .padding = 1}));
  check_gradients(small_layer(LayerKind::average_pool, {4, 4, 2}, {.kernel = 2, .stride = 1, .padding = 1}));
  const GradientOptions kinked{.kinked = true};
  check_gradients(small_layer(LayerKind::max_pool, {5, 6, 3}, {.kernel = 3, .stride = 2, .padding = 1}), kinked);
  check_gradients(small_layer(LayerKind::max_pool, {4, 4, 2}, {.kernel = 3, .stride = 1, .padding = 1}), kinked);
  check_gradients(small_layer(LayerKind::max_pool, {5, 7, 2}, {.kernel = 2, .stride = 3}), kinked);
}

TEST_CASE("the gradients of batch normalisation agree with finite differences") {
  check_gradients(small_layer(LayerKind::batch_norm, {1, 1, 5}), {.samples = 7});
  check_gradients(small_layer(LayerKind::batch_norm, {3, 4, 2}), {.samples = 3});
  check_gradients(small_layer(LayerKind::batch_norm, {2, 2, 17}), {.samples = 2});
}

}  // namespace
}  // namespace orrery
