// Every layer's backward pass against central differences of its forward pass.
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

TEST_CASE("the gradients of a dense layer agree with finite differences") {
  for (const bool bias : {true, false}) {
    check_gradients(small_layer(LayerKind::dense, {1, 1, 7}, {.channels = 5, .bias = bias}));
    check_gradients(small_layer(LayerKind::dense, {1, 1, 1}, {.channels = 18, .bias = bias}));
  }
}

TEST_CASE("the gradients of a convolution agree with finite differences for every kernel, stride and padding") {
  for (const std::int64_t kernel : {1, 3, 5}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t padding : {std::int64_t{0}, kernel / 2}) {
        check_gradients(small_layer(LayerKind::convolution, {5, 6, 2},
                                    {.channels = 3, .kernel = kernel, .stride = stride, .padding = padding}));
      }
    }
  }
  check_gradients(small_layer(LayerKind::convolution, {4, 4, 1}, {.channels = 2, .kernel = 2, .bias = false}));
}

TEST_CASE("the gradients of pooling agree with finite differences") {
  for (const LayerKind kind : {LayerKind::max_pool, LayerKind::average_pool}) {
    const GradientOptions options{.kinked = kind == LayerKind::max_pool};
    check_gradients(small_layer(kind, {4, 6, 3}, {.kernel = 2, .stride = 2}), options);
    check_gradients(small_layer(kind, {5, 5, 2}, {.kernel = 3, .stride = 2}), options);
    check_gradients(small_layer(kind, {5, 7, 2}, {.kernel = 2, .stride = 2}), options);  // a rest that no window sees
    check_gradients(small_layer(kind, {3, 3, 17}, {.kernel = 2, .stride = 1}), options);
  }
  check_gradients(small_layer(LayerKind::max_pool, {5, 5, 2}, {.kernel = 3, .stride = 2, .padding = 1}),
                  {.kinked = true});
  check_gradients(small_layer(LayerKind::global_average_pool, {3, 4, 5}));
}

TEST_CASE("the gradients of group normalisation agree with finite differences") {
  for (const std::int64_t groups : {1, 2, 6}) {
    Layer layer = small_layer(LayerKind::group_norm, {3, 2, 6});
    layer.groups = groups;
    check_gradients(layer, {.tolerance = 3e-3});  // six numbers in a group: higher derivatives are larger
  }
}

TEST_CASE("the gradients of upsampling agree with finite differences") {
  Layer layer = small_layer(LayerKind::upsample, {2, 3, 5}, {.stride = 2});
  layer.out = {4, 6, 5};
  check_gradients(layer);
  layer.stride = 3;
  layer.out = {6, 9, 5};
  check_gradients(layer);
}

TEST_CASE("the gradients of channel shuffles agree with finite differences") {
  for (const std::int64_t groups : {1, 2, 3}) {
    Layer layer = small_layer(LayerKind::channel_shuffle, {2, 3, 6});
    layer.groups = groups;
    check_gradients(layer);
  }
}

TEST_CASE("the gradients of activations agree with finite differences") {
  for (const LayerKind kind : {LayerKind::relu, LayerKind::tanh, LayerKind::sigmoid}) {
    check_gradients(small_layer(kind, {2, 3, 7}), {.kinked = kind == LayerKind::relu});
  }
}

}  // namespace
}  // namespace orrery
