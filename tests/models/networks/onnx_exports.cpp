// ONNX as PyTorch's exporter writes it: norms and GELU in parts, batch and tokens folded, open batches.
#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "models/cost/layer_cost.hpp"
#include "models/networks/onnx.hpp"
#include "tests/catch.hpp"
#include "tests/models/networks/onnx_bytes.hpp"

namespace orrery {
namespace {

using namespace onnx_bytes;

LayerGraph graph_of(const std::string& graph) {
  Problems problems;
  LayerGraph made = parse_onnx(model(graph), "model.onnx", problems);
  problems.throw_if_any();
  return made;
}

const Layer& layer_named(const LayerGraph& graph, std::string_view name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + std::string(name));
}

std::int64_t count(const LayerGraph& graph, LayerKind kind) {
  return std::count_if(graph.layers.begin(), graph.layers.end(),
                       [&](const Layer& layer) { return layer.kind == kind; });
}

double forward_flops(const LayerGraph& graph) {
  double flops = 0;
  for (const Layer& layer : graph.layers) flops += layer_cost(layer).forward.value();
  return flops;
}

const std::string scalars =
    weight("two", {}) + weight("eps", {}) + weight("one", {}) + weight("half", {}) + weight("a", {}) + weight("b", {});

/// The nine nodes of a layer normalisation before opset 17; weights of `channels`.
std::string layer_norm(const std::string& x, const std::string& y, const Dims& dims) {
  const Dims rows = {dims[0], dims[1], 1};
  return node("ReduceMean", {x}, {y + "m"}) + node("Sub", {x, y + "m"}, {y + "d"}) +
         node("Pow", {y + "d", "two"}, {y + "p"}) + node("ReduceMean", {y + "p"}, {y + "v"}) +
         node("Add", {y + "v", "eps"}, {y + "e"}) + node("Sqrt", {y + "e"}, {y + "s"}) +
         node("Div", {y + "d", y + "s"}, {y + "n"}) + node("Mul", {y + "n", y + "w"}, {y + "g"}) +
         node("Add", {y + "g", y + "b"}, {y}) + info(y + "m", rows) + info(y + "d", dims) + info(y + "p", dims) +
         info(y + "v", rows) + info(y + "e", rows) + info(y + "s", rows) + info(y + "n", dims) + info(y + "g", dims) +
         info(y, dims) + weight(y + "w", {dims.back()}) + weight(y + "b", {dims.back()});
}

/// GPT-2's dense layer: tokens folded into the batch, and back.
std::string folded_dense(const std::string& x, const std::string& y, std::int64_t in, std::int64_t out) {
  return node("Reshape", {x, "to2"}, {y + "f"}) + node("Gemm", {y + "f", y + "w", y + "b"}, {y + "g"}) +
         node("Reshape", {y + "g", "to3"}, {y}) + info(y + "f", {6, in}) + info(y + "g", {6, out}) +
         info(y, {1, 6, out}) + weight(y + "w", {in, out}) + weight(y + "b", {out});
}

/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
std::string gelu_by_tanh(const std::string& x, const std::string& y, const Dims& dims) {
  std::string shapes;
  for (const std::string part : {"h", "c", "k", "s", "t", "u", "o"}) shapes += info(y + part, dims);
  return node("Mul", {x, "half"}, {y + "h"}) + node("Pow", {x, "two"}, {y + "c"}) +
         node("Mul", {y + "c", "a"}, {y + "k"}) + node("Add", {x, y + "k"}, {y + "s"}) +
         node("Mul", {y + "s", "b"}, {y + "t"}) + node("Tanh", {y + "t"}, {y + "u"}) +
         node("Add", {y + "u", "one"}, {y + "o"}) + node("Mul", {y + "h", y + "o"}, {y}) + shapes + info(y, dims);
}

/// 6 tokens, 8 wide, 2 heads.
std::string attention_of_gpt2() {
  std::string nodes = folded_dense("n1", "qkv", 8, 24) + node("Split", {"qkv", "sizes"}, {"q", "k", "v"});
  for (const std::string part : {"q", "k", "v"}) {
    nodes += node("Reshape", {part, "to4"}, {part + "r"}) + node("Transpose", {part + "r"}, {part + "t"}) +
             info(part, {1, 6, 8}) + info(part + "r", {1, 6, 2, 4}) +
             info(part + "t", part == "k" ? Dims{1, 2, 4, 6} : Dims{1, 2, 6, 4});
  }
  const Dims scores = {1, 2, 6, 6};
  return nodes + node("MatMul", {"qt", "kt"}, {"s0"}) + node("Div", {"s0", "two"}, {"s1"}) +
         node("Where", {"mask", "s1", "eps"}, {"s2"}) + node("Softmax", {"s2"}, {"s3"}) +
         node("MatMul", {"s3", "vt"}, {"a0"}) + node("Transpose", {"a0"}, {"a1"}) +
         node("Reshape", {"a1", "to3"}, {"a2"}) + info("s0", scores) + info("s1", scores) + info("s2", scores) +
         info("s3", scores) + info("a0", {1, 2, 6, 4}) + info("a1", {1, 6, 2, 4}) + info("a2", {1, 6, 8}) +
         weight("mask", {1, 1, 6, 6}, 9) + weight("sizes", {3}, 7) + weight("to4", {4}, 7);
}

TEST_CASE("A GPT-2 block: norms and GELU in parts, products of folded tokens, queries split off one product") {
  const LayerGraph graph =
      graph_of(node("Gather", {"table", "ids"}, {"x"}) + info("x", {1, 6, 8}) + weight("table", {50, 8}) +
               layer_norm("x", "n1", {1, 6, 8}) + attention_of_gpt2() + folded_dense("a2", "o", 8, 8) +
               node("Add", {"o", "x"}, {"r"}) + info("r", {1, 6, 8}) + layer_norm("r", "n2", {1, 6, 8}) +
               folded_dense("n2", "up", 8, 32) + gelu_by_tanh("up", "act", {1, 6, 32}) +
               folded_dense("act", "down", 32, 8) + node("Add", {"r", "down"}, {"y"}) + scalars +
               weight("to2", {2}, 7) + weight("to3", {3}, 7) + input("ids", {1, 6}, 7) + output("y", {1, 6, 8}));
  CHECK(parameters(graph) == 50 * 8 + 2 * 16 + (8 * 24 + 24) + (64 + 8) + (8 * 32 + 32) + (32 * 8 + 8));
  CHECK(forward_flops(graph) == 6 * 2.0 * (8 * 24 + 64 + 2 * 8 * 32) + 4.0 * 6 * 6 * 8);
  CHECK(count(graph, LayerKind::layer_norm) == 2);
  CHECK(count(graph, LayerKind::gelu) == 1);
  CHECK(count(graph, LayerKind::tanh) == 0);
  const Layer& attention = layer_named(graph, "a0_MatMul");
  CHECK(attention.kind == LayerKind::attention);
  CHECK(attention.heads == 2);
  CHECK(to_text(attention.in) == "6x1x24");
  CHECK(layer_named(graph, "n2_Add").input == layer_named(graph, "r_Add").id);
  // six scalars of the initializers belong to no layer
  CHECK(graph.notes == std::vector<std::string>{"softmax_cross_entropy of output \"y\" as loss",
                                                "initializers hold " + std::to_string(parameters(graph) + 6) +
                                                    " numbers beside 0 running means and variances, layers " +
                                                    std::to_string(parameters(graph))});
}

TEST_CASE("Llama's root-mean-square norm: 1 / root, cast back, scaled") {
  const Dims dims = {1, 6, 8}, rows = {1, 6, 1};
  for (const bool as_reciprocal : {false, true}) {
    const std::string inverse = as_reciprocal ? node("Reciprocal", {"s"}, {"i"}) : node("Div", {"one", "s"}, {"i"});
    const LayerGraph graph = graph_of(
        node("Cast", {"x"}, {"f"}) + node("Pow", {"f", "two"}, {"p"}) + node("ReduceMean", {"p"}, {"v"}) +
        node("Add", {"v", "eps"}, {"e"}) + node("Sqrt", {"e"}, {"s"}) + inverse + node("Mul", {"f", "i"}, {"n"}) +
        node("Cast", {"n"}, {"h"}) + node("Mul", {"w", "h"}, {"y"}) + info("f", dims) + info("p", dims) +
        info("v", rows) + info("e", rows) + info("s", rows) + info("i", rows) + info("n", dims) + info("h", dims) +
        weight("w", {8}) + scalars + input("x", dims) + output("y", dims));
    REQUIRE(graph.layers.size() == 2);
    CHECK(graph.layers[0].kind == LayerKind::rms_norm);
    CHECK(parameters(graph) == 8);
    CHECK(to_text(graph.layers[0].out) == "6x1x8");
  }
}

TEST_CASE("What looks like a norm but is none stays what it is") {
  const LayerGraph graph = graph_of(
      node("Pow", {"x", "two"}, {"p"}) + node("ReduceMean", {"p"}, {"v"}) + node("Add", {"v", "eps"}, {"e"}) +
      node("Sqrt", {"e"}, {"s"}) + node("Div", {"p", "s"}, {"y"}) + info("p", {1, 6, 8}) + info("v", {1, 6, 1}) +
      info("e", {1, 6, 1}) + info("s", {1, 6, 1}) + scalars + input("x", {1, 6, 8}) + output("y", {1, 6, 8}));
  CHECK(count(graph, LayerKind::rms_norm) == 0);
  CHECK(parameters(graph) == 0);
}

/// A layer normalisation in parts over 6 tokens of 8 numbers; `rows`: what the means give, `steps`: after the quotient
/// n.
std::string norm_in_parts(const Dims& rows, const std::string& steps) {
  return node("ReduceMean", {"x"}, {"m"}) + node("Sub", {"x", "m"}, {"d"}) + node("Pow", {"d", "two"}, {"p"}) +
         node("ReduceMean", {"p"}, {"v"}) + node("Add", {"v", "eps"}, {"e"}) + node("Sqrt", {"e"}, {"s"}) +
         node("Div", {"d", "s"}, {"n"}) + steps + info("m", rows) + info("d", {1, 6, 8}) + info("p", {1, 6, 8}) +
         info("v", rows) + info("e", rows) + info("s", rows) + info("n", {1, 6, 8}) + info("g", {1, 6, 8}) +
         weight("w", {8}) + weight("c", {8}) + scalars + input("x", {1, 6, 8}) + output("y", {1, 6, 8});
}

TEST_CASE("Normalisations in parts are over the channels, with a scale and a shift for each") {
  const std::string scale = node("Mul", {"n", "w"}, {"g"}), both = scale + node("Add", {"g", "c"}, {"y"});
  const LayerGraph whole = graph_of(norm_in_parts({1, 6, 1}, both));
  CHECK(count(whole, LayerKind::layer_norm) == 1);
  CHECK(parameters(whole) == 16);
  for (const Dims& rows : {Dims{1, 1, 8}, Dims{1, 1, 1}}) {  // over the tokens, over both
    const LayerGraph other = graph_of(norm_in_parts(rows, both));
    CHECK(count(other, LayerKind::layer_norm) + count(other, LayerKind::rms_norm) == 0);
    CHECK(parameters(other) == 0);
  }
  const std::string scalar = node("Mul", {"n", "half"}, {"g"}) + node("Add", {"g", "c"}, {"y"});
  for (const std::string& steps : {node("Relu", {"n"}, {"y"}), scale + node("Relu", {"g"}, {"y"}), scalar}) {
    const LayerGraph without = graph_of(norm_in_parts({1, 6, 1}, steps));
    CHECK(count(without, LayerKind::layer_norm) + count(without, LayerKind::rms_norm) == 0);
    CHECK(parameters(without) == 0);
  }
}

TEST_CASE("A residual block of images with an open batch") {
  const Dims image = {-1, 4, 8, 8};
  const std::string pads = integers("pads", {1, 1, 1, 1}) + integers("strides", {1, 1});
  const LayerGraph graph = graph_of(
      node("Conv", {"x", "w1"}, {"c"}, pads) + node("BatchNormalization", {"c", "g", "h", "m", "v"}, {"n"}) +
      node("Relu", {"n"}, {"r"}) + node("Conv", {"r", "w2", "b2"}, {"d"}, pads) + node("Add", {"d", "x"}, {"s"}) +
      node("Relu", {"s"}, {"t"}) + node("GlobalAveragePool", {"t"}, {"p"}) + node("Flatten", {"p"}, {"f"}) +
      node("Gemm", {"f", "w3", "b3"}, {"y"}, integer("transB", 1)) + info("c", image) + info("n", image) +
      info("r", image) + info("d", image) + info("s", image) + info("t", image) + info("p", {-1, 4, 1, 1}) +
      info("f", {-1, 4}) + weight("w1", {4, 4, 3, 3}) + weight("g", {4}) + weight("h", {4}) + weight("m", {4}) +
      weight("v", {4}) + weight("w2", {4, 4, 3, 3}) + weight("b2", {4}) + weight("w3", {10, 4}) + weight("b3", {10}) +
      input("x", image) + output("y", {-1, 10}));
  CHECK(parameters(graph) == 144 + 8 + 144 + 4 + 50);
  CHECK(forward_flops(graph) == 2.0 * (64 * 288 + 40));
  // the sum's second operand is the network's input, which no layer gives
  CHECK(graph.notes.front() == "1 x Add priced as an elementwise operator");
}

/// torch.nn.MultiheadAttention: tokens before the batch, heads folded into it.
std::string sequence_first_attention(const std::string& batch_of_input) {
  std::string nodes = node("Transpose", {"x"}, {"z"}) + node("MatMul", {"z", "wi"}, {"p"}) +
                      node("Add", {"p", "bi"}, {"pb"}) + node("Reshape", {"pb", "to4"}, {"p4"}) +
                      node("Transpose", {"p4"}, {"pt"});
  for (const std::string part : {"q", "k", "v"}) {
    nodes += node("Gather", {"pt", "i" + part}, {part}) + node("Reshape", {part, "to3"}, {part + "r"}) +
             node("Transpose", {part + "r"}, {part + "t"}) + info(part, {6, 1, 8}) + info(part + "r", {6, 2, 4}) +
             info(part + "t", part == "k" ? Dims{2, 4, 6} : Dims{2, 6, 4}) + weight("i" + part, {}, 7);
  }
  return nodes + node("MatMul", {"qt", "kt"}, {"s"}) + node("Softmax", {"s"}, {"w"}) +
         node("MatMul", {"w", "vt"}, {"a"}) + node("Transpose", {"a"}, {"at"}) + node("Reshape", {"at", "to2"}, {"f"}) +
         node("Gemm", {"f", "wo", "bo"}, {"o"}) + node("Reshape", {"o", "to3"}, {"o3"}) +
         node("Transpose", {"o3"}, {"t"}) + node("Relu", {"t"}, {"y"}) + info("z", {6, 1, 8}) + info("p", {6, 1, 24}) +
         info("pb", {6, 1, 24}) + info("p4", {6, 1, 3, 8}) + info("pt", {3, 6, 1, 8}) + info("s", {2, 6, 6}) +
         info("w", {2, 6, 6}) + info("a", {2, 6, 4}) + info("at", {6, 2, 4}) + info("f", {6, 8}) + info("o", {6, 8}) +
         info("o3", {6, 1, 8}) + info("t", {1, 6, 8}) + weight("wi", {8, 24}) + weight("bi", {24}) +
         weight("wo", {8, 8}) + weight("bo", {8}) + weight("to2", {2}, 7) + weight("to3", {3}, 7) +
         weight("to4", {4}, 7) + batch_of_input + output("y", {1, 6, 8});
}

TEST_CASE("Attention with the tokens first and the heads folded into a batch of one") {
  const LayerGraph graph = graph_of(sequence_first_attention(input("x", {1, 6, 8})));
  CHECK(parameters(graph) == (8 * 24 + 24) + (64 + 8));
  CHECK(forward_flops(graph) == 6 * 2.0 * (8 * 24 + 64) + 4.0 * 6 * 6 * 8);
  CHECK(layer_named(graph, "a_MatMul").heads == 2);
  CHECK(to_text(layer_named(graph, "y_Relu").out) == "6x1x8");
  CHECK_THROWS_WITH(
      graph_of(sequence_first_attention(input("x", {-1, 6, 8}))),
      "model.onnx: a_MatMul: is attention whose heads are not a dimension of their own: export a batch of "
      "1, or scores of four dimensions");
}

/// Two heads of queries of 4 numbers, `groups` heads of keys and of values of `value_size`, over 6 tokens 8 wide;
/// rotary positions are products and a sum on [1, heads, 6, 4].
std::string rotated_attention(std::int64_t groups, std::int64_t value_size, std::int64_t repeated) {
  std::string nodes;
  for (const std::string part : {"q", "k", "v"}) {
    const std::int64_t heads = part == "q" ? 2 : groups, size = part == "v" ? value_size : 4;
    const Dims turned = {1, heads, 6, size};
    nodes += node("MatMul", {"x", "w" + part}, {part}) + node("Reshape", {part, "to4"}, {part + "r"}) +
             node("Transpose", {part + "r"}, {part + "h"}) + weight("w" + part, {8, heads * size}) +
             info(part, {1, 6, heads * size}) + info(part + "r", {1, 6, heads, size}) + info(part + "h", turned);
    if (part == "v") continue;
    nodes += node("Mul", {part + "h", "cos"}, {part + "c"}) + node("Neg", {part + "h"}, {part + "n"}) +
             node("Mul", {part + "n", "sin"}, {part + "s"}) + node("Add", {part + "c", part + "s"}, {part + "e"});
    for (const std::string step : {"c", "n", "s", "e"}) nodes += info(part + step, turned);
  }
  return nodes + node("Expand", {"ke", "to4"}, {"kx"}) + node("Transpose", {"kx"}, {"kt"}) +
         node("Expand", {"vh", "to4"}, {"vx"}) + node("MatMul", {"qe", "kt"}, {"s"}) + node("Softmax", {"s"}, {"p"}) +
         node("MatMul", {"p", "vx"}, {"o"}) + node("Transpose", {"o"}, {"t"}) + node("Reshape", {"t", "to3"}, {"f"}) +
         node("MatMul", {"f", "wo"}, {"y"}) + info("kx", {1, repeated, 6, 4}) + info("kt", {1, repeated, 4, 6}) +
         info("vx", {1, repeated, 6, value_size}) + info("s", {1, 2, 6, 6}) + info("p", {1, 2, 6, 6}) +
         info("o", {1, 2, 6, value_size}) + info("t", {1, 6, 2, value_size}) + info("f", {1, 6, 2 * value_size}) +
         weight("cos", {1, 1, 6, 4}) + weight("sin", {1, 1, 6, 4}) + weight("wo", {2 * value_size, 8}) +
         weight("to4", {4}, 7) + weight("to3", {3}, 7) + input("x", {1, 6, 8}) + output("y", {1, 6, 8});
}

TEST_CASE("Attention with rotary positions: heads of keys that are shared, values of another size") {
  for (const std::int64_t groups : {1, 2}) {
    for (const std::int64_t value_size : {2, 4, 8}) {
      const LayerGraph graph = graph_of(rotated_attention(groups, value_size, 2));
      CHECK(parameters(graph) == 8 * (8 + groups * 4 + groups * value_size) + 16 * value_size);
      const Layer& attention = layer_named(graph, "o_MatMul");
      CHECK(attention.kind == LayerKind::attention);
      CHECK(attention.heads == 2);
      CHECK(attention.kv_heads == groups);
      CHECK(attention.head_size == 4);
      CHECK(attention.value_size == value_size);
      CHECK(attention.in == Shape{6, 1, 8 + groups * 4 + groups * value_size});
      CHECK(attention.out == Shape{6, 1, 2 * value_size});
      // 2 T^2 heads (numbers of a key + numbers of a value)
      CHECK(layer_cost(attention).forward.value() == 2.0 * 6 * 6 * 2 * static_cast<double>(4 + value_size));
    }
  }
}

TEST_CASE("Heads of keys and values that do not come out even are refused") {
  CHECK_THROWS_WITH(graph_of(rotated_attention(3, 4, 2)),
                    "model.onnx: o_MatMul: is attention of 2 heads, 4 numbers for a key and 4 for a value, which do "
                    "not come out even with the 32 channels it reads - describe the network in a .toml");
  const std::string shapes = info("q", {1, 2, 6, 4}) + info("s", {1, 2, 6, 6}) + info("p", {1, 2, 6, 6});
  CHECK_THROWS_WITH(
      graph_of(node("Relu", {"x"}, {"r"}) + node("Reshape", {"r", "to4"}, {"q"}) + node("Transpose", {"q"}, {"k"}) +
               node("MatMul", {"q", "k"}, {"s"}) + node("Softmax", {"s"}, {"p"}) + node("MatMul", {"p", "q"}, {"y"}) +
               shapes + info("r", {1, 6, 8}) + info("k", {1, 2, 4, 6}) + weight("to4", {4}, 7) + input("x", {1, 6, 8}) +
               output("y", {1, 2, 6, 4})),
      "model.onnx: y_MatMul: is attention of 2 heads, 4 numbers for a key and 4 for a value, which do not come out "
      "even with the 8 channels it reads - describe the network in a .toml");
}

/// Values first: V^T x softmax^T, as images write it, gives [1, channels, tokens]; `turned`: what the probabilities
/// pass.
std::string values_first(const std::string& turned) {
  std::string nodes;
  for (const std::string part : {"q", "k", "v"}) {
    nodes += node("MatMul", {"x", "w" + part}, {part}) + weight("w" + part, {8, 8}) + info(part, {1, 6, 8});
  }
  return nodes + node("Transpose", {"k"}, {"kt"}) + node("MatMul", {"q", "kt"}, {"s"}) + node("Softmax", {"s"}, {"p"}) +
         node("Transpose", {"v"}, {"vt"}) + node(turned, {"p"}, {"pt"}) + node("MatMul", {"vt", "pt"}, {"o"}) +
         node("Transpose", {"o"}, {"t"}) + node("MatMul", {"t", "wo"}, {"y"}) + weight("wo", {8, 8}) +
         info("kt", {1, 8, 6}) + info("s", {1, 6, 6}) + info("p", {1, 6, 6}) + info("vt", {1, 8, 6}) +
         info("pt", {1, 6, 6}) + info("o", {1, 8, 6}) + info("t", {1, 6, 8}) + input("x", {1, 6, 8}) +
         output("y", {1, 6, 8});
}

TEST_CASE("Attention with the values first and the probabilities turned") {
  const LayerGraph graph = graph_of(values_first("Transpose"));
  CHECK(parameters(graph) == 4 * 64);
  const Layer& attention = layer_named(graph, "o_MatMul");
  CHECK(attention.kind == LayerKind::attention);
  CHECK(attention.heads == 1);
  CHECK(attention.kv_heads == 1);
  CHECK(attention.value_size == 8);
  CHECK(attention.out == Shape{6, 1, 8});
  CHECK(forward_flops(graph) == 4 * 2.0 * 6 * 64 + 4.0 * 6 * 6 * 8);
  // not turned, these are sums over the wrong tokens: a product of two values that is no attention
  CHECK_THROWS_WITH(graph_of(values_first("Cast")),
                    "model.onnx: s_MatMul: MatMul of two values is no layer, but within attention (MatMul - Softmax - "
                    "MatMul) - export the scores of attention for no other reader, or leave the part out");
}

TEST_CASE("Products of two values that are no attention are refused, whatever follows from them is not told of") {
  const Dims tokens = {1, 6, 8};
  const std::string ends = info("s", {1, 6, 6}) + input("x", tokens) + output("y", tokens);
  CHECK_THROWS_WITH(
      graph_of(node("Transpose", {"x"}, {"t"}) + node("MatMul", {"x", "t"}, {"s"}) + node("MatMul", {"s", "x"}, {"r"}) +
               node("Relu", {"r"}, {"y"}) + info("t", {1, 8, 6}) + info("r", tokens) + ends),
      "model.onnx: s_MatMul: MatMul of two values is no layer, but within attention (MatMul - Softmax - MatMul) - "
      "export "
      "the scores of attention for no other reader, or leave the part out");
  CHECK_THROWS_WITH(
      graph_of(node("Attention", {"x", "x", "x"}, {"y"}) + ends),
      "model.onnx: y_Attention: Attention of two values is no layer, but within attention (MatMul - Softmax "
      "- MatMul) - export the scores of attention for no other reader, or leave the part out");
}

}  // namespace
}  // namespace orrery
