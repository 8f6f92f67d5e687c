// Attention over another sequence, and with values of a size of their own: against plain attention, and against central
// differences.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

struct Heads {
  std::int64_t queries = 1, keys = 1, heads = 1, kv_heads = 1, size = 1, value_size = 1;

  [[nodiscard]] std::int64_t memory() const { return kv_heads * (size + value_size); }
};

Layer across(const Heads& of) {
  Layer layer = small_layer(LayerKind::cross_attention, {of.queries, 1, of.heads * of.size});
  layer.heads = of.heads;
  layer.kv_heads = of.kv_heads;
  layer.head_size = of.size;
  layer.value_size = of.value_size;
  layer.key_tokens = of.keys;
  layer.out.channels = of.heads * of.value_size;
  return layer;
}

/// Queries, keys and values side by side.
Layer beside(const Heads& of) {
  Layer layer = across(of);
  layer.kind = LayerKind::attention;
  layer.key_tokens = 0;
  layer.in.channels += of.memory();
  return layer;
}

Numbers random_numbers(std::int64_t count) {
  Random random(8);
  return gradient_check::normal_numbers(static_cast<std::size_t>(count), 1.0F, random);
}

/// Columns [first, end) of every row of `channels` numbers.
Numbers columns(const Numbers& rows, std::int64_t channels, std::int64_t first, std::int64_t end) {
  Numbers taken;
  for (auto row = rows.begin(); row != rows.end(); row += channels) taken.insert(taken.end(), row + first, row + end);
  return taken;
}

TEST_CASE("attention across to a sequence's own keys and values is attention") {
  for (const std::int64_t tokens : {1, 5, 64, 70}) {
    for (const std::int64_t kv_heads : {1, 2, 4}) {
      const Heads of{tokens, tokens, 4, kv_heads, 3, 3};
      const Numbers all = random_numbers(2 * tokens * (12 + of.memory()));
      const std::int64_t channels = 12 + of.memory();
      RunLayer plain(beside(of)), crossed(across(of));
      CHECK(crossed.forward({}, columns(all, channels, 0, 12), columns(all, channels, 12, channels)) ==
            plain.forward({}, all));
    }
  }
}

TEST_CASE("one key is all that is attended to: every query gets its value") {
  RunLayer run(across({2, 1, 1, 1, 2, 3}));
  CHECK(run.forward({}, {1, 2, 3, 4}, {9, 9, 5, 6, 7}) == Numbers{5, 6, 7, 5, 6, 7});
}

TEST_CASE("two keys in opposite directions share by the logistic function of their scores") {
  RunLayer run(across({1, 2, 1, 1, 1, 1}));
  const float share = 1.0F / (1.0F + std::exp(-4.0F));  // scores 2 x 1 and 2 x -1
  CHECK(run.forward({}, {2}, {1, 10, -1, 20}).front() == Approx(10 * share + 20 * (1 - share)).epsilon(1e-6));
}

TEST_CASE("values of fewer numbers are the first of those with more") {
  const Heads many{70, 70, 2, 1, 4, 6}, few{70, 70, 2, 1, 4, 2};
  const std::int64_t channels = 8 + many.memory();
  const Numbers all = random_numbers(70 * channels);
  RunLayer long_values(beside(many)), short_values(beside(few));
  const Numbers whole = long_values.forward({}, all);
  const Numbers part = short_values.forward({}, columns(all, channels, 0, 8 + few.memory()));
  for (std::size_t row = 0; row < 140; ++row) {  // token after token, head after head
    for (std::size_t c = 0; c < 2; ++c) CHECK(part[2 * row + c] == Approx(whole[6 * row + c]).margin(1e-5));
  }
}

TEST_CASE("the gradients of attention whose values have a size of their own agree with finite differences") {
  check_gradients(beside({5, 5, 1, 1, 2, 4}), {.samples = 2});
  check_gradients(beside({4, 4, 2, 1, 3, 1}), {.samples = 2});
  check_gradients(beside({65, 65, 1, 1, 1, 2}), {.samples = 1});
}

TEST_CASE("the gradients of attention across agree with finite differences, for other numbers of keys too") {
  const auto check = [](const Heads& of) {
    check_gradients(across(of), {.samples = 2, .second = static_cast<std::size_t>(of.keys * of.memory())});
  };
  check({4, 3, 1, 1, 2, 2});
  check({3, 5, 2, 2, 3, 2});
  check({2, 4, 4, 2, 1, 3});
  check({1, 65, 1, 1, 1, 1});
  check({65, 2, 1, 1, 1, 1});
}

}  // namespace
}  // namespace orrery
