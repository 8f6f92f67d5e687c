// FLOPs, bytes and activations of single layers, counted by hand.
#include "models/cost/layer_cost.hpp"

#include <string>

#include "models/cost/describe.hpp"
#include "models/cost/pass_bytes.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

Layer layer_of(LayerKind kind, Shape in, Shape out) {
  Layer layer;
  layer.id = LayerId(0);
  layer.name = "layer";
  layer.kind = kind;
  layer.in = in;
  layer.out = out;
  return layer;
}

double bytes(const Layer& layer, Pass pass, double samples, Share share = {}, Precision precision = Precision::fp32) {
  return pass_bytes(layer, pass, samples, share, precision).value();
}

TEST_CASE("A dense layer costs 2 x in x out FLOPs per position, backward twice that") {
  const LayerCost vector = layer_cost(layer_of(LayerKind::dense, {1, 1, 784}, {1, 1, 200}));
  CHECK(vector.forward.value() == 313600.0);
  CHECK(vector.backward.value() == 627200.0);
  CHECK(vector.parameters == 157000.0);
  const LayerCost sequence = layer_cost(layer_of(LayerKind::dense, {16, 1, 8}, {16, 1, 32}));
  CHECK(sequence.forward.value() == 8192.0);
  CHECK(sequence.parameters == 288.0);
}

TEST_CASE("A convolution costs 2 x kernel^2 x in / groups x out FLOPs per output position") {
  Layer layer = layer_of(LayerKind::convolution, {28, 28, 4}, {14, 14, 8});
  layer.kernel = 5;
  CHECK(layer_cost(layer).forward.value() == 2.0 * 25 * 4 * 8 * 14 * 14);
  layer.groups = 4;
  CHECK(layer_cost(layer).forward.value() == 2.0 * 25 * 1 * 8 * 14 * 14);
  CHECK(layer_cost(layer).parameters == 25 * 1 * 8 + 8);
}

TEST_CASE("The attention core costs 4 T^2 h FLOPs and keeps its input and its scores") {
  Layer layer = layer_of(LayerKind::attention, {16, 1, 24}, {16, 1, 8});
  layer.heads = 2;
  const LayerCost cost = layer_cost(layer);
  CHECK(cost.forward.value() == 4.0 * 16 * 16 * 8);
  CHECK(cost.parameters == 0.0);
  CHECK(cost.stored_numbers == 16 * 24 + 2 * 16 * 16);
  // forward: q, k, v in, out, and the scores written, read, written, read
  CHECK(bytes(layer, Pass::forward, 1) == 4.0 * (16 * 24 + 16 * 8 + 4 * 512));
}

TEST_CASE("Bytes of a dense layer: activations per sample, weights once, backward with gradients") {
  const Layer layer = layer_of(LayerKind::dense, {1, 1, 1000}, {1, 1, 500});
  CHECK(bytes(layer, Pass::forward, 1) == 4.0 * (1500 + 500000));
  CHECK(bytes(layer, Pass::forward, 32) == 4.0 * (32 * 1500 + 500000));
  // reads the input again and the output's gradient, writes the input's; reads weights, writes their gradient
  CHECK(bytes(layer, Pass::backward, 32) == 4.0 * (32 * 2500 + 2 * 500000));
  CHECK(bytes(layer, Pass::forward, 32, {}, Precision::bf16) == 2.0 * (32 * 1500 + 500000));
  CHECK(bytes(layer, Pass::forward, 32, {}, Precision::fp8) == 2.0 * (32 * 1500 + 500000));
  CHECK(bytes(layer, Pass::forward, 1, {0.5, 1.0}) == 4.0 * (1000 + 250 + 250000));  // columns split over two
  CHECK(bytes(layer, Pass::backward, 1, {0.5, 1.0}) == 4.0 * (2000 + 250 + 2 * 250000));
  // rows split over two: half of the input, but a part of every sum of the output, and all of its gradient
  CHECK(bytes(layer, Pass::forward, 1, {0.5, 0.5, 1.0}) == 4.0 * (500 + 500 + 250000));
  CHECK(bytes(layer, Pass::backward, 1, {0.5, 0.5, 1.0}) == 4.0 * (2 * 500 + 500 + 2 * 250000));
}

TEST_CASE("Bytes of elementwise, normalising and looking-up layers, per number of one sample") {
  const Shape shape{4, 1, 10};  // 40 numbers
  const auto numbers = [&](LayerKind kind, Pass pass) { return bytes(layer_of(kind, shape, shape), pass, 1) / 160.0; };
  CHECK(numbers(LayerKind::relu, Pass::forward) == 2.0);             // read, write
  CHECK(numbers(LayerKind::relu, Pass::backward) == 3.0);            // + the kept output
  CHECK(numbers(LayerKind::residual_add, Pass::forward) == 3.0);     // two operands
  CHECK(numbers(LayerKind::batch_norm, Pass::forward) == 3.5);       // input twice; 20 weights are half of 40 numbers
  CHECK(numbers(LayerKind::layer_norm, Pass::forward) == 2.5);       // input once
  CHECK(numbers(LayerKind::layer_norm, Pass::backward) == 5.0 + 1);  // two kernels: 5 numbers (Korthikanti: 10 bytes)
  CHECK(numbers(LayerKind::flatten, Pass::forward) == 0.0);
  Layer words = layer_of(LayerKind::embedding, {4, 1, 1}, shape);
  words.vocabulary = 1000000;
  CHECK(bytes(words, Pass::forward, 1) == 4.0 * (4 + 40 + 40));  // the rows of 4 tokens, not the table
  // half of the vocabulary: all tokens read, half of the rows looked up, the rest of the output written as zeros
  CHECK(bytes(words, Pass::forward, 1, {0.5, 1.0, 1.0}) == 4.0 * (4 + 20 + 40));
}

TEST_CASE("A network's training FLOPs are three forward passes of its products") {
  CHECK(training_flops(small_perceptron()).value() == 3.0 * (2 * 1000 * 500 + 2 * 500 * 10));
}

TEST_CASE("The description of a network is a table of its layers") {
  CHECK(describe(small_perceptron()) ==
        R"(small: Small
source: made up
one sample: vector 1x1x1000, 10 classes, executable
parameters 505510, training 0.00303 GFLOP per sample (forward and backward)

layer   kind                             in    out            parameters   forward MFLOP      stored k
dense1  dense                      1x1x1000 -> 1x1x500            500500           1.000           1.0
relu    relu                        1x1x500 -> 1x1x500                 0           0.000           0.5
dense2  dense                       1x1x500 -> 1x1x10               5010           0.010           0.5
loss    softmax_cross_entropy        1x1x10 -> 1x1x1                   0           0.000           0.0
)");
}

}  // namespace
}  // namespace orrery
