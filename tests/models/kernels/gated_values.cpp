// Values of the layers of large networks, counted by hand; what has no kernel.
#include <cmath>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

void check_close(const Numbers& found, const Numbers& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(wanted[i]).margin(1e-6));
}

TEST_CASE("A gate multiplies the second half by the activated first, token by token") {
  const auto silu = [](float x) { return x / (1.0F + std::exp(-x)); };
  RunLayer swiglu(small_layer(LayerKind::swiglu, {2, 1, 4}, {.channels = 2}));
  check_close(swiglu.forward({}, {1, -2, 3, 5, 0, 0.5F, 7, 2}), {silu(1) * 3, silu(-2) * 5, 0, silu(0.5F) * 2});
  RunLayer geglu(small_layer(LayerKind::geglu, {1, 1, 2}, {.channels = 1}));
  check_close(geglu.forward({}, {1, 3}), {3 * 0.841344746F});  // Phi(1)
}

TEST_CASE("Products, upsampling, channel shuffles and class tokens put numbers where they belong") {
  RunLayer product(small_layer(LayerKind::multiply, {1, 1, 3}));
  check_close(product.forward({}, {1, 2, 3}, {4, 5, -6}), {4, 10, -18});
  Layer up = small_layer(LayerKind::upsample, {1, 2, 2}, {.stride = 2});
  up.out = {2, 4, 2};
  check_close(RunLayer(up).forward({}, {1, 2, 3, 4}), {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
  Layer shuffle = small_layer(LayerKind::channel_shuffle, {1, 2, 6});
  shuffle.groups = 2;
  check_close(RunLayer(shuffle).forward({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
              {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12});
  Layer token = small_layer(LayerKind::class_token, {2, 1, 2});
  token.out.height = 3;
  check_close(RunLayer(token).forward({8, 9}, {1, 2, 3, 4, 5, 6, 7, 0}), {1, 2, 3, 4, 8, 9, 5, 6, 7, 0, 8, 9});
}

TEST_CASE("Group normalisation: a group of each sample has mean 0 and variance 1, then scale and shift") {
  Layer layer = small_layer(LayerKind::group_norm, {2, 1, 4});
  layer.groups = 2;
  // group 1: 1, 3, 5, 7: mean 4, variance 5; group 2: 0, 0, 2, 2: mean 1, variance 1
  const float five = std::sqrt(5.0F + 1e-5F), one = std::sqrt(1.0F + 1e-5F);
  check_close(RunLayer(layer).forward({1, 1, 1, 2, 0, 0, 0, 10}, {1, 3, 0, 0, 5, 7, 2, 2}),
              {-3 / five, -1 / five, -1 / one, -2 / one + 10, 1 / five, 3 / five, 1 / one, 2 / one + 10});
}

TEST_CASE("Heads are normalised apart and share their scales") {
  Layer layer = small_layer(LayerKind::rms_norm, {1, 1, 4});
  layer.heads = 2;
  const float first = std::sqrt(12.5F + 1e-6F), second = std::sqrt(0.5F + 1e-6F);
  check_close(RunLayer(layer).forward({1, 2}, {3, 4, 0, 1}), {3 / first, 8 / first, 0, 2 / second});
}

TEST_CASE("What has no kernel is said, with the reason") {
  Layer attention = small_layer(LayerKind::attention, {4, 1, 24}, {.channels = 8});
  attention.heads = attention.kv_heads = 2;
  CHECK(why_not_executed(attention).empty());
  attention.head_size = attention.value_size = 4;
  CHECK(why_not_executed(attention).empty());
  attention.rate = 0.1;
  CHECK(why_not_executed(attention) == "drops scores, which its kernel does not");
  attention.rate = 0;
  attention.positions = 32;
  CHECK(why_not_executed(attention) == "has a table of relative positions, which its kernel has not");
  attention.positions = 0;
  attention.value_size = 2;
  CHECK(why_not_executed(attention).empty());
  attention.shared_size = 1;
  CHECK(why_not_executed(attention) == "has keys that heads share in part, which its kernel has not");
  Layer across = small_layer(LayerKind::cross_attention, {4, 1, 8});
  CHECK(why_not_executed(across).empty());
  across.rate = 0.1;
  CHECK(why_not_executed(across) == "drops scores, which its kernel does not");
  CHECK(why_not_executed(small_layer(LayerKind::mixture_of_experts, {4, 1, 8})) == "has no kernel");
  CHECK(why_not_executed(small_layer(LayerKind::softmax_cross_entropy, {1, 1, 8})).empty());
}

}  // namespace
}  // namespace orrery
