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

TEST_CASE(
    "Attention with sizes of its own: 2 T^2 heads (queries' + values' size) FLOPs, dropped scores are kept twice") {
  Layer layer = layer_of(LayerKind::attention, {16, 1, 2 * 6 + 2 * (6 + 4)}, {16, 1, 2 * 4});
  layer.heads = layer.kv_heads = 2;
  layer.head_size = 6;
  layer.value_size = 4;
  layer.rate = 0.1;
  CHECK(layer_cost(layer).forward.value() == 2.0 * 16 * 16 * 2 * (6 + 4));
  CHECK(kept_for_backward(layer).own == 2 * 2 * 16 * 16);
  CHECK(kept_for_backward(layer).masks == 2 * 16 * 16);
  CHECK(kept_for_backward(layer).input);
}

TEST_CASE("Cross attention has as many keys as the second operand has tokens") {
  Layer layer = layer_of(LayerKind::cross_attention, {16, 1, 8}, {16, 1, 8});
  layer.heads = layer.kv_heads = 2;
  layer.key_tokens = 5;
  const LayerCost cost = layer_cost(layer);
  CHECK(cost.forward.value() == 4.0 * 16 * 5 * 8);
  CHECK(cost.input_numbers == 16 * 8 + 5 * 2 * 8);
  CHECK(cost.stored_numbers == 16 * 8 + 5 * 2 * 8 + 2 * 16 * 5);
}

TEST_CASE("A mixture of experts: the router, the experts a token visits and the shared ones") {
  Layer layer = layer_of(LayerKind::mixture_of_experts, {16, 1, 8}, {16, 1, 8});
  layer.experts = 10;
  layer.experts_per_token = 2;
  layer.shared_experts = 1;
  layer.expert_units = 5;
  layer.gated = true;
  layer.bias = false;
  const LayerCost cost = layer_cost(layer);
  CHECK(cost.forward.value() == 2.0 * 16 * (8 * 10 + 3 * 3 * 8 * 5));
  CHECK(cost.backward.value() == 2.0 * cost.forward.value());
  CHECK(cost.parameters == 8 * 10 + 11 * 3 * 8 * 5);
  // input; probabilities, two copies of input and output, three numbers of each inner unit
  CHECK(cost.stored_numbers == 16 * 8 + 16 * (10 + 2 * 2 * 8 + 3 * 3 * 5));
}

TEST_CASE("Gates, products and group normalisation count no FLOPs and keep what they read") {
  const LayerCost gate = layer_cost(layer_of(LayerKind::swiglu, {16, 1, 12}, {16, 1, 6}));
  CHECK(gate.forward.value() == 0.0);
  CHECK(gate.stored_numbers == 16 * 12);
  CHECK(gate.output_numbers == 16 * 6);
  CHECK(layer_cost(layer_of(LayerKind::multiply, {16, 1, 6}, {16, 1, 6})).stored_numbers == 2 * 16 * 6);
  CHECK(layer_cost(layer_of(LayerKind::group_norm, {4, 4, 6}, {4, 4, 6})).parameters == 12);
  CHECK(layer_cost(layer_of(LayerKind::upsample, {4, 4, 6}, {8, 8, 6})).stored_numbers == 0.0);
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

TEST_CASE("A transposed convolution multiplies every input pixel with every weight") {
  Layer layer = layer_of(LayerKind::transposed_convolution, {7, 7, 4}, {14, 14, 8});
  layer.kernel = layer.stride = 2;
  const LayerCost cost = layer_cost(layer);
  CHECK(cost.forward.value() == 2.0 * 4 * 4 * 8 * 49);
  CHECK(cost.backward.value() == 2 * cost.forward.value());
  CHECK(cost.parameters == 4 * 4 * 8 + 8);
  CHECK(cost.stored_numbers == 49 * 4);
}

TEST_CASE("Recurrent layers: four or three gates per unit and token, and what they keep") {
  const LayerCost lstm = layer_cost(layer_of(LayerKind::lstm, {28, 1, 28}, {28, 1, 128}));
  CHECK(lstm.forward.value() == 28.0 * 2 * 4 * 128 * (28 + 128));
  CHECK(lstm.parameters == 4 * 128 * (28 + 128) + 4 * 128);
  CHECK(lstm.stored_numbers == 28 * 28 + 28 * 128 + 28 * 5 * 128);  // input, output, four gates and the cell
  const Layer gated = layer_of(LayerKind::gru, {28, 1, 28}, {28, 1, 128});
  const LayerCost gru = layer_cost(gated);
  CHECK(gru.forward.value() == 28.0 * 2 * 3 * 128 * (28 + 128));
  CHECK(gru.parameters == 3 * 128 * (28 + 128) + 6 * 128);
  CHECK(gru.stored_numbers == 28 * 28 + 28 * 128 + 28 * 4 * 128);
  // forward: input, output, three sums per unit written and read, four kept, and the weights once
  const double weights = 3 * 128 * (28 + 128), unit = 28 * 128;
  CHECK(bytes(gated, Pass::forward, 2) == 4.0 * (2 * (28 * 28 + unit * (1 + 6 + 4)) + weights));
  // backward: gradients of both, three gradients of sums written and read, what was kept; weights read, written
  CHECK(bytes(gated, Pass::backward, 2) == 4.0 * (2 * (2 * 28 * 28 + unit * (2 + 6 + 4)) + 2 * weights));
}

TEST_CASE("Bytes of the layers that move numbers only") {
  const Shape shape{4, 1, 10};                                                                  // 40 numbers
  CHECK(bytes(layer_of(LayerKind::silu, shape, shape), Pass::backward, 1) == 160.0 * 3);        // + the kept input
  CHECK(bytes(layer_of(LayerKind::rms_norm, shape, shape), Pass::forward, 1) == 160.0 * 2.25);  // 10 scales
  CHECK(bytes(layer_of(LayerKind::position_embedding, shape, shape), Pass::forward, 2) ==
        160.0 * 5);  // 40 numbers once
  CHECK(bytes(layer_of(LayerKind::concatenate, shape, {4, 1, 16}), Pass::forward, 1) == 4.0 * 2 * 64);
  const Layer last = layer_of(LayerKind::last_token, shape, {1, 1, 10});
  CHECK(bytes(last, Pass::forward, 1) == 4.0 * 20);
  CHECK(bytes(last, Pass::backward, 1) == 4.0 * (20 + 30));  // and zeros for the other three tokens
  for (const LayerKind view : {LayerKind::rows_to_tokens, LayerKind::pixels_to_tokens}) {
    CHECK(bytes(layer_of(view, {2, 2, 10}, shape), Pass::backward, 1) == 0.0);
  }
  // A dropout's mask is a byte per number in every precision.
  const Layer dropout = layer_of(LayerKind::dropout, shape, shape);
  CHECK(bytes(dropout, Pass::forward, 1) == 4.0 * 80 + 40);
  CHECK(bytes(dropout, Pass::backward, 1, {}, Precision::bf16) == 2.0 * 80 + 40);
  CHECK(layer_cost(dropout).stored_numbers == 0.0);
}

TEST_CASE("Losses read their predictions, and read them again for the gradient") {
  for (const LayerKind kind :
       {LayerKind::mean_squared_error, LayerKind::binary_cross_entropy, LayerKind::detection_loss}) {
    const Layer loss = layer_of(kind, {7, 7, 8}, {1, 1, 1});
    CHECK(bytes(loss, Pass::forward, 1) == 4.0 * (392 + 1));
    CHECK(bytes(loss, Pass::backward, 1) == 4.0 * (2 * 392 + 1));
    CHECK(layer_cost(loss).stored_numbers == 392.0);
  }
}

TEST_CASE("A frozen layer makes the gradient of its input only, and keeps nothing for its weights") {
  Layer dense = layer_of(LayerKind::dense, {1, 1, 1000}, {1, 1, 500});
  dense.frozen = true;
  const LayerCost cost = layer_cost(dense);
  CHECK(cost.forward.value() == 1e6);
  CHECK(cost.backward.value() == 1e6);
  CHECK(cost.parameters == 500500.0);
  CHECK(cost.stored_numbers == 0.0);
  CHECK(bytes(dense, Pass::backward, 32) == 4.0 * (32 * 1500 + 500000));  // weights read, no gradient written
  Layer norm = layer_of(LayerKind::layer_norm, {4, 1, 10}, {4, 1, 10});
  norm.frozen = true;
  CHECK(bytes(norm, Pass::backward, 1) == 4.0 * (3 * 40 + 20));  // one kernel instead of two
  Layer lstm = layer_of(LayerKind::lstm, {28, 1, 28}, {28, 1, 128});
  lstm.frozen = true;
  CHECK(layer_cost(lstm).stored_numbers == 28 * 5 * 128);
  Layer gru = layer_of(LayerKind::gru, {28, 1, 28}, {28, 1, 128});
  gru.frozen = true;
  CHECK(layer_cost(gru).stored_numbers == 28 * 128 + 28 * 4 * 128);  // the update gate's gradient needs the states
}

TEST_CASE("Training FLOPs below the lowest layer that trains are those of forward") {
  LayerGraph graph = small_perceptron();  // 1000 -> 500 -> relu -> 10
  graph.layers[0].frozen = true;
  CHECK(training_flops(graph).value() == 2 * 1000 * 500 + 3.0 * 2 * 500 * 10);
  graph.layers[0].frozen = false;
  graph.layers[2].frozen = true;
  CHECK(training_flops(graph).value() == 3.0 * 2 * 1000 * 500 + 2.0 * 2 * 500 * 10);
}

TEST_CASE("The description of a network is a table of its layers") {
  CHECK(describe(small_perceptron()) ==
        R"(small: Small
source: made up
one sample: vector 1x1x1000, 10 classes
parameters 505510, training 0.00303 GFLOP per sample (forward and backward)

layer   kind                              in    out            parameters   forward MFLOP      stored k
dense1  dense                       1x1x1000 -> 1x1x500            500500           1.000           1.0
relu    relu                         1x1x500 -> 1x1x500                 0           0.000           0.5
dense2  dense                        1x1x500 -> 1x1x10               5010           0.010           0.5
loss    softmax_cross_entropy         1x1x10 -> 1x1x1                   0           0.000           0.0
)");
  LayerGraph graph = small_perceptron();
  graph.layers[0].frozen = true;
  CHECK(describe(graph).find("parameters 505510 (500500 of them frozen), training 0.00103 GFLOP") != std::string::npos);
}

}  // namespace
}  // namespace orrery
