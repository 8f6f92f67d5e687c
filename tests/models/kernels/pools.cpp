// Pooling with padding, overlapping windows and numbers that are none.
#include <cmath>
#include <limits>

#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

TEST_CASE("average pooling counts padding as zeros") {
  RunLayer pool(small_layer(LayerKind::average_pool, {2, 2, 1}, {.kernel = 2, .stride = 1, .padding = 1}));
  // 3 x 3 windows of 4 pixels each: corners see one pixel, edges two, the middle all four.
  CHECK(pool.forward({}, {4, 8, 12, 16}) == Numbers{1, 3, 2, 4, 10, 6, 3, 7, 4});
  CHECK(pool.backward({4, 0, 0, 0, 8, 0, 0, 0, 0}).input == Numbers{3, 2, 2, 2});
}

TEST_CASE("global average pooling divides by the pixels that there are") {
  RunLayer pool(small_layer(LayerKind::global_average_pool, {2, 3, 2}));
  CHECK(pool.forward({}, {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 9, 6}) == Numbers{4, 1});
  CHECK(pool.backward({6, 12}).input == Numbers{1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2});
}

TEST_CASE("every channel of max pooling chooses for itself") {
  RunLayer pool(small_layer(LayerKind::max_pool, {2, 2, 3}, {.kernel = 2, .stride = 2}));
  CHECK(pool.forward({}, {9, 1, 1, 2, 8, 2, 3, 3, 3, 4, 4, 7}) == Numbers{9, 8, 7});
  CHECK(pool.backward({1, 2, 3}).input == Numbers{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3});
}

TEST_CASE("max pooling passes a NaN on, and its gradient to where it came from") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  RunLayer pool(small_layer(LayerKind::max_pool, {2, 4, 1}, {.kernel = 2, .stride = 2}));
  const Numbers output = pool.forward({}, {1, nan, 5, 2, 3, 4, 6, 7});
  CHECK(std::isnan(output[0]));
  CHECK(output[1] == 7);
  CHECK(pool.backward({10, 20}).input == Numbers{0, 10, 0, 0, 0, 0, 0, 20});
}

TEST_CASE("a pixel that no window sees gets no gradient") {
  RunLayer pool(small_layer(LayerKind::max_pool, {1, 3, 1}, {.kernel = 1, .stride = 2}));
  CHECK(pool.forward({}, {1, 2, 3}) == Numbers{1, 3});
  CHECK(pool.backward({5, 6}).input == Numbers{5, 0, 6});
  CHECK(pool.backward({5, 6}, Update::add, 1.0F).input == Numbers{6, 1, 7});
}

}  // namespace
}  // namespace orrery
