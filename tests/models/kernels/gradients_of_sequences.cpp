// Gradients of the layers that transformers are made of, against central differences.
#include <algorithm>

#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Layer attention_layer(std::int64_t tokens, std::int64_t heads, std::int64_t kv_heads, std::int64_t size, bool causal) {
  Layer layer = small_layer(LayerKind::attention, {tokens, 1, (heads + 2 * kv_heads) * size});
  layer.out = {tokens, 1, heads * size};
  layer.heads = heads;
  layer.kv_heads = kv_heads;
  layer.causal = causal;
  return layer;
}

TEST_CASE("the gradients of a dense layer over positions agree with finite differences") {
  for (const bool bias : {true, false}) {
    check_gradients(small_layer(LayerKind::dense, {4, 1, 3}, {.channels = 5, .bias = bias}));
    check_gradients(small_layer(LayerKind::dense, {2, 2, 3}, {.channels = 2, .bias = bias}));
  }
}

TEST_CASE("the gradients of a tied dense layer agree with finite differences, those of the table too") {
  for (const bool bias : {true, false}) {
    Layer tied = small_layer(LayerKind::dense, {3, 1, 4}, {.channels = 7, .bias = bias});
    tied.tied = true;
    check_gradients(tied, {.tied = 4 * 7});
  }
}

TEST_CASE("the gradients of smooth activations agree with finite differences") {
  for (const LayerKind kind : {LayerKind::gelu, LayerKind::silu}) {
    check_gradients(small_layer(kind, {2, 3, 7}));
    check_gradients(small_layer(kind, {1, 1, 33}), {.spread = 3});
  }
}

TEST_CASE("the gradients of layer and root-mean-square normalisation agree with finite differences") {
  for (const LayerKind kind : {LayerKind::layer_norm, LayerKind::rms_norm}) {
    check_gradients(small_layer(kind, {1, 1, 19}));
    check_gradients(small_layer(kind, {3, 2, 8}));
  }
}

TEST_CASE("the gradients of gates agree with finite differences") {
  for (const LayerKind kind : {LayerKind::swiglu, LayerKind::geglu}) {
    check_gradients(small_layer(kind, {2, 3, 14}, {.channels = 7}));
    check_gradients(small_layer(kind, {4, 1, 34}, {.channels = 17}), {.spread = 2});
  }
}

TEST_CASE("the gradients of products of two operands agree with finite differences") {
  check_gradients(small_layer(LayerKind::multiply, {2, 3, 4}), {.second = 24});
}

TEST_CASE("the gradients of normalised heads, which share their scales, agree with finite differences") {
  Layer layer = small_layer(LayerKind::rms_norm, {3, 1, 12});
  layer.heads = 3;
  check_gradients(layer);
}

TEST_CASE("the gradients of a class token agree with finite differences") {
  Layer layer = small_layer(LayerKind::class_token, {4, 1, 5});
  layer.out.height = 5;
  check_gradients(layer);
}

TEST_CASE("the gradients of dropout agree with finite differences") {
  Layer layer = small_layer(LayerKind::dropout, {4, 1, 9});
  layer.rate = 0.4;
  check_gradients(layer);
}

TEST_CASE("the gradients of position embeddings, residual additions and concatenations agree with finite differences") {
  check_gradients(small_layer(LayerKind::position_embedding, {5, 1, 3}));
  check_gradients(small_layer(LayerKind::residual_add, {2, 3, 4}), {.second = 24});
  check_gradients(small_layer(LayerKind::concatenate, {2, 3, 4}, {.channels = 9}), {.second = 30});
}

TEST_CASE("the gradients of an embedding's tables agree with finite differences") {
  Layer layer = small_layer(LayerKind::embedding, {4, 1, 1}, {.channels = 3});
  layer.vocabulary = 6;
  layer.positions = GENERATE(0, 5);
  layer.segments = GENERATE(0, 2);
  RunLayer run(layer);
  Random random(4);
  const Numbers tokens{0, 5, 5, 2, 1, 5, 0, 0};
  const Numbers tables = gradient_check::normal_numbers(run.parameters(), 1.0F, random);
  const Numbers weights = gradient_check::normal_numbers(run.forward(tables, tokens).size(), 1.0F, random);
  const RunLayer::Gradients gradients = run.backward(weights);
  CHECK(gradient_check::worst_difference(tables, gradients.parameters, 1.0F / 64, [&](const Numbers& changed) {
          return gradient_check::weighted_sum(run.forward(changed, tokens), weights);
        }) < 1e-3);
  CHECK(std::all_of(gradients.input.begin(), gradients.input.end(), [](float number) { return number == 0; }));
  gradient_check::check_added(gradients.parameters, run.backward(weights, Update::add, 2.0F).parameters, 2.0F);
}

TEST_CASE("the gradients of attention agree with finite differences, causal or not, for grouped queries too") {
  for (const bool causal : {false, true}) {
    check_gradients(attention_layer(5, 1, 1, 4, causal), {.samples = 2});
    check_gradients(attention_layer(3, 2, 2, 3, causal), {.samples = 2});
    check_gradients(attention_layer(4, 2, 1, 2, causal), {.samples = 2});
    check_gradients(attention_layer(3, 3, 3, 2, causal), {.samples = 2});
    check_gradients(attention_layer(3, 6, 2, 2, causal), {.samples = 2});
    check_gradients(attention_layer(1, 2, 1, 2, causal), {.samples = 2});
  }
}

TEST_CASE("the gradients of attention agree with finite differences around the borders of its blocks") {
  for (const bool causal : {false, true}) {
    for (const std::int64_t tokens : {16, 17, 63, 64, 65}) {
      check_gradients(attention_layer(tokens, 1, 1, 1, causal), {.samples = 1});
    }
    check_gradients(attention_layer(65, 2, 1, 1, causal), {.samples = 1});
    check_gradients(attention_layer(130, 1, 1, 1, causal), {.samples = 1});
  }
}

}  // namespace
}  // namespace orrery
