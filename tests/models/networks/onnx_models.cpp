// Networks from ONNX models: layers, parameters, and what is wrong with a file.
#include <stdexcept>
#include <string_view>

#include "models/cost/layer_cost.hpp"
#include "models/networks/onnx.hpp"
#include "models/networks/protobuf_wire.hpp"
#include "tests/catch.hpp"
#include "tests/models/networks/onnx_bytes.hpp"

namespace orrery {
namespace {

using namespace onnx_bytes;

LayerGraph graph_of(const std::string& file) {
  Problems problems;
  LayerGraph graph = parse_onnx(file, "model.onnx", problems);
  problems.throw_if_any();
  return graph;
}

std::string problems_in(const std::string& file) {
  try {
    (void)graph_of(file);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

const Layer& layer_named(const LayerGraph& graph, std::string_view name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + std::string(name));
}

/// Convolution, normalisation, pooling, a branch that is concatenated, a perceptron.
std::string small_image_graph() {
  return node("Conv", {"x", "w1", "b1"}, {"c"},
              integers("strides", {1, 1}) + integers("pads", {2, 2, 2, 2}) + integer("group", 1)) +
         node("BatchNormalization", {"c", "s", "o", "m", "v"}, {"n"}) + node("Relu", {"n"}, {"r"}) +
         node("MaxPool", {"r"}, {"p"}, integers("kernel_shape", {2, 2}) + integers("strides", {2, 2})) +
         node("Conv", {"p", "w2"}, {"q"}, integers("pads", {0, 1, 0, 1})) +
         node("Concat", {"p", "q"}, {"pq"}, integer("axis", 1)) + node("GlobalAveragePool", {"pq"}, {"g"}) +
         node("Flatten", {"g"}, {"f"}) + node("Gemm", {"f", "w3", "b3"}, {"y"}, integer("transB", 1)) +
         weight("w1", {8, 1, 5, 5}) + weight("b1", {8}) + weight("s", {8}) + weight("o", {8}) + weight("m", {8}) +
         weight("v", {8}) + weight("w2", {4, 8, 1, 3}) + weight("w3", {10, 12}) + weight("b3", {10}) +
         input("x", {-1, 1, 28, 28}) + output("y", {-1, 10});
}

std::string small_image_shapes() {
  return info("c", {1, 8, 28, 28}) + info("n", {1, 8, 28, 28}) + info("r", {1, 8, 28, 28}) + info("p", {1, 8, 14, 14}) +
         info("q", {1, 4, 14, 14}) + info("pq", {1, 12, 14, 14}) + info("g", {1, 12, 1, 1}) + info("f", {1, 12});
}

TEST_CASE("Operators on images become layers, parameters are those of the initializers") {
  const LayerGraph graph = graph_of(model(small_image_graph() + small_image_shapes()));
  CHECK(graph.name == "model");
  CHECK(graph.sample == "image");
  CHECK(to_text(graph.input) == "28x28x1");
  CHECK(graph.classes == 10);
  CHECK(parameters(graph) == (8 * 25 + 8) + 16 + 4 * 8 * 3 + 12 * 10 + 10);
  const Layer& conv = layer_named(graph, "c_Conv");
  CHECK(to_text(conv.out) == "28x28x8");
  CHECK(conv.kernel == 5);
  CHECK(conv.padding == 2);
  const Layer& oblong = layer_named(graph, "q_Conv");
  CHECK(oblong.kernel == 1);
  CHECK(oblong.kernel_width == 3);
  CHECK_FALSE(oblong.bias);
  CHECK(layer_cost(oblong).forward.value() == 2.0 * 14 * 14 * 3 * 8 * 4);
  const Layer& both = layer_named(graph, "pq_Concat");
  CHECK(both.kind == LayerKind::concatenate);
  CHECK(both.input == layer_named(graph, "p_MaxPool").id);
  CHECK(both.skip == oblong.id);
  CHECK(layer_named(graph, "y_Gemm").input == layer_named(graph, "g_GlobalAveragePool").id);
  CHECK(graph.layers.back().kind == LayerKind::softmax_cross_entropy);
  CHECK(graph.notes == std::vector<std::string>{"softmax_cross_entropy of output \"y\" as loss"});
}

/// One block of a transformer of 6 tokens, 8 wide, 2 heads, as exporters write it.
std::string small_token_graph() {
  std::string nodes = node("Gather", {"table", "ids"}, {"e"}) + node("Add", {"e", "places"}, {"ep"}) +
                      node("LayerNormalization", {"ep", "ls", "lo"}, {"h"});
  std::string rest = info("e", {1, 6, 8}) + info("ep", {1, 6, 8}) + info("h", {1, 6, 8});
  for (const std::string part : {"q", "k", "v"}) {
    nodes += node("MatMul", {"h", "w" + part}, {part + "0"}) + node("Add", {"b" + part, part + "0"}, {part + "1"}) +
             node("Reshape", {part + "1", "split"}, {part + "2"}) + node("Transpose", {part + "2"}, {part + "3"});
    const Dims turned = part == "k" ? Dims{1, 2, 4, 6} : Dims{1, 2, 6, 4};
    rest += info(part + "0", {1, 6, 8}) + info(part + "1", {1, 6, 8}) + info(part + "2", {1, 6, 2, 4}) +
            info(part + "3", turned) + weight("w" + part, {8, 8}) + weight("b" + part, {8});
  }
  nodes += node("MatMul", {"q3", "k3"}, {"s0"}) + node("Div", {"s0", "root"}, {"s1"}) +
           node("Softmax", {"s1"}, {"s2"}) + node("MatMul", {"s2", "v3"}, {"a0"}) + node("Transpose", {"a0"}, {"a1"}) +
           node("Reshape", {"a1", "whole"}, {"a2"}) + node("MatMul", {"a2", "wo"}, {"o0"}) +
           node("Add", {"o0", "bo"}, {"o1"}) + node("Add", {"o1", "h"}, {"r"}) + node("MatMul", {"r", "wu"}, {"u"}) +
           node("Div", {"u", "root"}, {"g0"}) + node("Erf", {"g0"}, {"g1"}) + node("Add", {"g1", "one"}, {"g2"}) +
           node("Mul", {"u", "g2"}, {"g3"}) + node("Mul", {"g3", "half"}, {"g4"}) + node("MatMul", {"g4", "wd"}, {"y"});
  rest += info("s0", {1, 2, 6, 6}) + info("s1", {1, 2, 6, 6}) + info("s2", {1, 2, 6, 6}) + info("a0", {1, 2, 6, 4}) +
          info("a1", {1, 6, 2, 4}) + info("a2", {1, 6, 8}) + info("o0", {1, 6, 8}) + info("o1", {1, 6, 8}) +
          info("r", {1, 6, 8}) + info("u", {1, 6, 32}) + info("g4", {1, 6, 32}) + weight("table", {50, 8}) +
          weight("places", {1, 6, 8}) + weight("ls", {8}) + weight("lo", {8}) + weight("wo", {8, 8}) +
          weight("bo", {8}) + weight("wu", {8, 32}) + weight("wd", {32, 8}) + weight("root", {}, 1) +
          weight("one", {}, 1) + weight("half", {}, 1) + weight("split", {4}, 7) + weight("whole", {3}, 7);
  return nodes + rest + input("ids", {1, 6}, 7) + output("y", {1, 6, 8});
}

TEST_CASE("A transformer's block: embedding, attention, GELU by Erf, biases that are sums") {
  const LayerGraph graph = graph_of(model(small_token_graph()));
  CHECK(graph.sample == "sequence");
  CHECK(to_text(graph.input) == "6x1x1");
  CHECK(parameters(graph) == 50 * 8 + 6 * 8 + 16 + 4 * (64 + 8) + 2 * 8 * 32);
  CHECK(layer_named(graph, "e_Gather").kind == LayerKind::embedding);
  CHECK(layer_named(graph, "ep_Add").kind == LayerKind::position_embedding);
  CHECK(layer_named(graph, "k0_MatMul").bias);
  const Layer& attention = layer_named(graph, "a0_MatMul");
  CHECK(attention.kind == LayerKind::attention);
  CHECK(attention.heads == 2);
  CHECK(attention.kv_heads == 2);
  CHECK(to_text(attention.in) == "6x1x24");
  CHECK(to_text(attention.out) == "6x1x8");
  CHECK(layer_cost(attention).forward.value() == 4.0 * 6 * 6 * 8);
  CHECK(layer_named(graph, "o0_MatMul").in == attention.out);
  CHECK(layer_named(graph, "r_Add").kind == LayerKind::residual_add);
  CHECK(layer_named(graph, "g4_Mul").kind == LayerKind::gelu);
  CHECK(layer_named(graph, "g4_Mul").input == layer_named(graph, "u_MatMul").id);
  CHECK_FALSE(layer_named(graph, "u_MatMul").bias);
  // three scalars of the initializers belong to no layer
  CHECK(graph.notes ==
        std::vector<std::string>{"softmax_cross_entropy of output \"y\" as loss",
                                 "initializers hold 1267 numbers beside 0 running means and variances, layers 1264"});
}

TEST_CASE("Every beginning of a file is either read or refused, never more") {
  const std::string whole = model(small_image_graph() + small_image_shapes());
  int refused = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    refused += problems_in(whole.substr(0, length)).empty() ? 0 : 1;
  }
  CHECK(refused == static_cast<int>(whole.size()));
  std::string damaged = whole;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    damaged[i] = static_cast<char>(damaged[i] ^ 0x15);
    (void)problems_in(damaged);
    damaged[i] = whole[i];
  }
}

TEST_CASE("What is no ONNX model is told with the byte") {
  CHECK(problems_in("PK\x03\x04 rubbish") ==
        "model.onnx: is no whole ONNX model (byte 3: a field of number 0) - export or fetch it again");
  CHECK(
      problems_in(model(small_image_graph()).substr(0, 40)) ==
      "model.onnx: is no whole ONNX model (byte 5: a field of 591 bytes, but 35 are left) - export or fetch it again");
  CHECK(problems_in("") == "model.onnx: holds no graph - name a file made by an export to ONNX");
  CHECK(problems_in(number(1, 8)) == "model.onnx: holds no graph - name a file made by an export to ONNX");
}

TEST_CASE("Missing shapes and open dimensions are told with what to do") {
  CHECK(problems_in(model(small_image_graph())) ==
        "model.onnx: 8 of its values have no fixed shape, the first is \"c\" (costs follow from shapes) - run shape "
        "inference: onnx.shape_inference.infer_shapes_path(\"model.onnx\", \"shaped.onnx\"); if they stay open, export "
        "without dynamic axes");
  CHECK(
      problems_in(model(node("Relu", {"x"}, {"y"}) + input("x", {1, 3, -1, 5}) + output("y", {1, 3, 5, 5}))) ==
      "model.onnx: x: dimension 2 (\"batch\") is not fixed - export with fixed sizes; only the batch, dimension 0, may "
      "be open");
}

TEST_CASE("Unknown operators: noted without weights, refused with them, control flow is refused") {
  const std::string ends = input("x", {1, 8}) + output("y", {1, 8});
  const LayerGraph graph =
      graph_of(model(node("Sin", {"x"}, {"s"}) + node("Softplus", {"s"}, {"y"}) + info("s", {1, 8}) + ends));
  CHECK(graph.notes == std::vector<std::string>{"1 x Sin priced as an elementwise operator",
                                                "1 x Softplus priced as an elementwise operator",
                                                "softmax_cross_entropy of output \"y\" as loss"});
  CHECK(layer_cost(graph.layers[0]).output_numbers == 8.0);
  CHECK(problems_in(model(node("LSTM", {"x", "w"}, {"y"}) + weight("w", {1, 32, 8}) + ends)) ==
        "model.onnx: y_LSTM: LSTM has weights, but is no operator that is known - leave the part out, or describe the "
        "network in a .toml");
  CHECK(problems_in(model(node("Loop", {"x"}, {"y"}, bytes(5, bytes(1, "body") + bytes(6, ""))) + ends)) ==
        "model.onnx: y_Loop: Loop is control flow (what is computed would depend on the data) - export the model "
        "without it");
}

TEST_CASE("Operands that do not fit are told: unknown names, kernels, matrices") {
  const std::string ends = input("x", {1, 8}) + output("y", {1, 8});
  CHECK(problems_in(model(node("Relu", {"z"}, {"y"}) + ends)) ==
        "model.onnx: y_Relu: reads \"z\", which nothing before it gives");
  CHECK(problems_in(model(node("MatMul", {"x", "w"}, {"y"}) + weight("w", {9, 8}) + ends)) ==
        "model.onnx: y_MatMul: multiplies 1x1x8 with a matrix of 9 rows");
  CHECK(problems_in(model(node("Conv", {"x", "w"}, {"y"}) + weight("w", {9, 8, 3}) + ends)) ==
        "model.onnx: y_Conv: Conv of images alone is known, with a kernel of 4 dimensions, not 3");
  CHECK(problems_in(model(node("MatMul", {"x", "w"}, {"y"}) + weight("w", {8, 1LL << 60}) + ends)) ==
        "model.onnx: w: is larger than any tensor (the file is damaged)");
}

TEST_CASE("Operators with too few values are refused, within norms, GELU and attention too") {
  const Dims tokens = {1, 4, 8};
  const std::string ends = input("x", tokens) + output("y", tokens) + weight("s", {1});
  const auto few = [](const std::string& node, const std::string& op, int least, int there) {
    return "model.onnx: " + node + ": " + op + " takes at least " + std::to_string(least) +
           (least == 1 ? " value" : " values") + ", but has " + std::to_string(there) +
           " (the file is damaged) - export it again";
  };
  const std::string root = node("ReduceMean", {"p"}, {"m"}) + node("Add", {"m", "s"}, {"a"}) +
                           node("Sqrt", {"a"}, {"r"}) + info("p", tokens);
  CHECK(problems_in(model(node("Sub", {"x"}, {"v"}) + node("Pow", {"v", "s"}, {"p"}) + root +
                          node("Div", {"v", "r"}, {"y"}) + ends)) == few("v_Sub", "Sub", 2, 1));
  CHECK(problems_in(model(node("Pow", {"x", "s"}, {"p"}) + root + node("Reciprocal", {"r"}, {"i"}) +
                          node("Mul", {"i"}, {"y"}) + ends)) == few("y_Mul", "Mul", 2, 1));
  CHECK(problems_in(model(node("Div", {"x", "s"}, {"d"}) + node("Erf", {"d"}, {"e"}) + node("Add", {"e", "s"}, {"f"}) +
                          node("Mul", {"f"}, {"y"}) + ends)) == few("y_Mul", "Mul", 2, 1));
  CHECK(problems_in(model(node("Softmax", {}, {"q"}) + node("Add", {"x"}, {"z"}) + node("Relu", {"x"}, {"y"}) +
                          ends)) == few("q_Softmax", "Softmax", 1, 0) + "\n" + few("z_Add", "Add", 2, 1));
  CHECK(problems_in(model(node("Sub", {"x", ""}, {"y"}) + ends)) == few("y_Sub", "Sub", 2, 1));
  const std::string nothing = bytes(1, bytes(1, "x") + bytes(3, "last") + bytes(4, "Relu"));
  CHECK(problems_in(model(node("Relu", {"x"}, {"y"}) + nothing + ends)) ==
        "model.onnx: last: Relu gives no value (the file is damaged) - export it again");
}

TEST_CASE("Values come from what stands before, and are given once: none depends on itself") {
  const Dims tokens = {1, 4, 8};
  const std::string ends = input("x", tokens) + output("y", tokens) + info("a", tokens) + info("b", tokens);
  CHECK(problems_in(model(node("Identity", {"a"}, {"b"}) + node("Identity", {"b"}, {"a"}) +
                          node("Softmax", {"a"}, {"y"}) + ends)) ==
        "model.onnx: b_Identity: reads \"a\", which nothing before it gives");
  CHECK(problems_in(model(node("Identity", {"x"}, {"a"}) + node("Identity", {"a"}, {"b"}) +
                          node("Identity", {"b"}, {"a"}) + node("Softmax", {"a"}, {"y"}) + ends)) ==
        "model.onnx: a_Identity: gives \"a\", which is given before it");
  CHECK(problems_in(model(node("Identity", {"x"}, {"x"}) + node("Softmax", {"x"}, {"y"}) + ends)) ==
        "model.onnx: x_Identity: gives \"x\", which is given before it");
}

TEST_CASE("A convolution may step and pad otherwise to the right than down, though its window is square") {
  const std::string graph =
      node("Conv", {"x", "w"}, {"c"}, integers("strides", {2, 1}) + integers("pads", {1, 0, 1, 0})) +
      node("GlobalAveragePool", {"c"}, {"g"}) + node("Flatten", {"g"}, {"y"}) + weight("w", {10, 1, 3, 3}) +
      input("x", {-1, 1, 28, 28}) + output("y", {-1, 10});
  const LayerGraph read = graph_of(model(graph + info("c", {1, 10, 14, 26}) + info("g", {1, 10, 1, 1})));
  CHECK(to_text(layer_named(read, "c_Conv").out) == "14x26x10");
  CHECK(layer_named(read, "c_Conv").stride_width == 1);
}

TEST_CASE("Groups, strides and windows below one are refused") {
  const std::string image = input("x", {1, 4, 6, 6}) + output("y", {1, 4, 6, 6}) + weight("w", {4, 4, 3, 3});
  const auto conv = [&](const std::string& attributes) {
    return problems_in(model(node("Conv", {"x", "w"}, {"y"}, attributes) + image));
  };
  CHECK(conv(integer("group", 1)).empty());
  CHECK(conv(integer("group", 0)) == "model.onnx: y_Conv: group is 0, and must be at least 1");
  CHECK(conv(integers("strides", {1, -2})) == "model.onnx: y_Conv: strides is -2, and must be at least 1");
  CHECK(problems_in(model(node("GroupNormalization", {"x", "s", "o"}, {"y"}, integer("num_groups", -1)) + image +
                          weight("s", {4}) + weight("o", {4}))) ==
        "model.onnx: y_GroupNormalization: num_groups is -1, and must be at least 1");
  CHECK(problems_in(model(node("MaxPool", {"x"}, {"y"}, integers("kernel_shape", {0, 2})) + image)) ==
        "model.onnx: y_MaxPool: kernel_shape is 0, and must be at least 1");
}

TEST_CASE("Numbers of the wire format: packed, one by one, broken") {
  std::vector<std::int64_t> numbers;
  const std::string packed = bytes(1, varint(300) + varint(5)) + number(1, -1);
  WireReader reader(packed);
  while (const auto field = reader.next()) append_integers(*field, numbers);
  CHECK(numbers == std::vector<std::int64_t>{300, 5, -1});
  CHECK_THROWS_WITH(WireReader("\x08\xff").next(), "byte 2: a number ends too early");
  CHECK_THROWS_WITH(WireReader(std::string(11, '\xff')).next(), "byte 10: a number of more than 64 bits");
  CHECK_THROWS_WITH(WireReader("\x0d\x01").next(), "byte 1: a number ends too early");
}

}  // namespace
}  // namespace orrery
