// Slices, sums with a vector, embedding tables and interactions: values counted by hand, gradients against central
// differences.
#include <algorithm>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Layer slice(Shape in, std::int64_t first, std::int64_t channels) {
  Layer layer = small_layer(LayerKind::slice, in, {.channels = channels});
  layer.first_channel = first;
  return layer;
}

Layer tables(std::vector<std::int64_t> rows, std::int64_t units) {
  const auto count = static_cast<std::int64_t>(rows.size());
  Layer layer = small_layer(LayerKind::embedding_tables, {1, 1, count});
  layer.out = {count, 1, units};
  layer.tables = std::move(rows);
  return layer;
}

Layer interaction(std::int64_t numbers, std::int64_t others) {
  return small_layer(LayerKind::dot_interaction, {1, 1, numbers}, {.channels = numbers + (others + 1) * others / 2});
}

TEST_CASE("a slice takes a run of the channels of every position") {
  RunLayer run(slice({2, 1, 4}, 1, 2));
  CHECK(run.forward({}, {1, 2, 3, 4, 5, 6, 7, 8}) == Numbers{2, 3, 6, 7});
  CHECK(run.backward({10, 20, 30, 40}).input == Numbers{0, 10, 20, 0, 0, 30, 40, 0});
}

TEST_CASE("a vector is added at every position, and gets the sum of their gradients") {
  RunLayer run(small_layer(LayerKind::add_vector, {1, 3, 2}));
  CHECK(run.forward({}, {1, 2, 3, 4, 5, 6}, {10, 20}) == Numbers{11, 22, 13, 24, 15, 26});
  const RunLayer::Gradients gradients = run.backward({1, 2, 3, 4, 5, 6});
  CHECK(gradients.input == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(gradients.second == Numbers{9, 12});
}

TEST_CASE("each table gives the row of its own number") {
  RunLayer run(tables({2, 3}, 2));
  const Numbers rows{1, 2, 3, 4, 11, 12, 13, 14, 15, 16};
  CHECK(run.forward(rows, {1, 0, 0, 2}) == Numbers{3, 4, 11, 12, 1, 2, 15, 16});
  CHECK(run.backward({1, 1, 2, 2, 3, 3, 4, 4}).parameters == Numbers{3, 3, 1, 1, 2, 2, 0, 0, 4, 4});
  CHECK_THROWS_AS(run.forward(rows, {2, 0}), ContractViolation);
  CHECK_THROWS_AS(run.forward(rows, {0, -1}), ContractViolation);
}

TEST_CASE("a table of more rows than float32 counts cannot be executed") {
  CHECK(why_not_executed(tables({3, 16777216}, 2)).empty());
  CHECK(why_not_executed(tables({3, 16777217}, 2)) ==
        "has a table of more than 16777216 rows, whose numbers its kernel's float32 cannot tell apart");
}

TEST_CASE("a row looked up twice gets the sum of both gradients") {
  RunLayer run(tables({2}, 1));
  (void)run.forward({5, 6}, {1, 1, 0});
  CHECK(run.backward({1, 10, 100}).parameters == Numbers{100, 11});
}

TEST_CASE("first rows of a table are uniform within 1 / sqrt(rows)") {
  const RunLayer run(tables({4, 100}, 50));
  Numbers rows(run.parameters());
  Random random(1);
  run.kernel().initialise(rows, random);
  const auto largest = [](auto first, auto last) {
    return std::abs(*std::max_element(first, last, [](float a, float b) { return std::abs(a) < std::abs(b); }));
  };
  CHECK(largest(rows.begin(), rows.begin() + 200) == Approx(0.5).epsilon(0.05));
  CHECK(largest(rows.begin() + 200, rows.end()) == Approx(0.1).epsilon(0.01));
}

TEST_CASE("an interaction appends the products of every two vectors, row by row of the lower triangle") {
  RunLayer run(interaction(2, 2));
  // x0 = (1, 2), x1 = (3, 4), x2 = (5, 6): x1 x0 = 11, x2 x0 = 17, x2 x1 = 39
  CHECK(run.forward({}, {1, 2}, {3, 4, 5, 6}) == Numbers{1, 2, 11, 17, 39});
  const RunLayer::Gradients gradients = run.backward({1, 1, 1, 10, 100});
  CHECK(gradients.input == Numbers{1 + 3 + 50, 1 + 4 + 60});
  CHECK(gradients.second == Numbers{1 + 500, 2 + 600, 10 + 300, 20 + 400});
}

TEST_CASE("the gradients of slices, sums with a vector and interactions agree with finite differences") {
  check_gradients(slice({2, 3, 5}, 0, 5));
  check_gradients(slice({2, 3, 5}, 3, 2));
  check_gradients(small_layer(LayerKind::add_vector, {2, 3, 4}), {.second = 4});
  check_gradients(interaction(3, 1), {.second = 3});
  check_gradients(interaction(5, 4), {.second = 20});
}

TEST_CASE("the gradients of embedding tables agree with finite differences") {
  RunLayer run(tables({3, 1, 6}, 4));
  Random random(4);
  const Numbers numbers{2, 0, 5, 0, 0, 5};
  const Numbers rows = gradient_check::normal_numbers(run.parameters(), 1.0F, random);
  const Numbers weights = gradient_check::normal_numbers(run.forward(rows, numbers).size(), 1.0F, random);
  const RunLayer::Gradients gradients = run.backward(weights);
  CHECK(gradient_check::worst_difference(rows, gradients.parameters, 1.0F / 64, [&](const Numbers& changed) {
          return gradient_check::weighted_sum(run.forward(changed, numbers), weights);
        }) < 1e-3);
  CHECK(gradients.input == Numbers(6, 0.0F));
  gradient_check::check_added(gradients.parameters, run.backward(weights, Update::add, 2.0F).parameters, 2.0F);
}

TEST_CASE("tokens as pixels and reshapes are the same numbers under another shape") {
  for (const LayerKind kind : {LayerKind::tokens_to_pixels, LayerKind::reshape}) {
    Layer layer = small_layer(kind, {4, 1, 3});
    layer.out = {2, 2, 3};
    CHECK(make_layer_kernel(layer)->output_storage() == OutputStorage::same_as_input);
  }
}

}  // namespace
}  // namespace orrery
