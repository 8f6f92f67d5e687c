// Shapes and parameters of every kind of layer.
#include <string>

#include "tests/catch.hpp"
#include "tests/models/networks/one_layer.hpp"

namespace orrery {
namespace {

TEST_CASE("Every kind has a name, in the order of the enumeration") {
  CHECK(layer_kind_names().size() == static_cast<std::size_t>(LayerKind::detection_loss) + 1);
  CHECK(name_of(LayerKind::dense) == "dense");
  CHECK(name_of(LayerKind::rms_norm) == "rms_norm");
  CHECK(name_of(LayerKind::silu) == "silu");
  CHECK(name_of(LayerKind::attention) == "attention");
  CHECK(name_of(LayerKind::pixels_to_tokens) == "pixels_to_tokens");
  CHECK(name_of(LayerKind::softmax_cross_entropy) == "softmax_cross_entropy");
  CHECK(name_of(LayerKind::detection_loss) == "detection_loss");
}

TEST_CASE("A transposed convolution undoes the shape of the convolution") {
  const Layer layer = around("[7, 5, 3]",
                             "{ name = \"up\", kind = \"transposed_convolution\", filters = 8, kernel = 4, stride = 2, "
                             "padding = 1 }")
                          .layers[0];
  CHECK(to_text(layer.out) == "14x10x8");  // (7 - 1) 2 - 2 + 4
  CHECK(weights(layer) == 16 * 3 * 8);
  CHECK(parameters(layer) == 16 * 3 * 8 + 8);
  const Layer bare =
      around("[1, 1, 6]", "{ name = \"up\", kind = \"transposed_convolution\", filters = 2, kernel = 7, bias = false }")
          .layers[0];
  CHECK(to_text(bare.out) == "7x7x2");
  CHECK(parameters(bare) == 49 * 6 * 2);
}

TEST_CASE("A convolution's window may be oblong") {
  const Layer layer = around("[17, 17, 4]",
                             "{ name = \"c\", kind = \"convolution\", filters = 8, kernel = 1, kernel_width = 7, "
                             "padding_width = 3, bias = false }")
                          .layers[0];
  CHECK(to_text(layer.out) == "17x17x8");
  CHECK(parameters(layer) == 7 * 4 * 8);
}

TEST_CASE("Recurrent layers keep the tokens and change the width") {
  const Layer lstm = around("[28, 1, 20]", "{ name = \"r\", kind = \"lstm\", units = 16 }").layers[0];
  CHECK(to_text(lstm.out) == "28x1x16");
  CHECK(parameters(lstm) == 4 * 16 * (20 + 16) + 4 * 16);
  const Layer gru = around("[28, 1, 20]", "{ name = \"r\", kind = \"gru\", units = 16 }").layers[0];
  CHECK(to_text(gru.out) == "28x1x16");
  CHECK(parameters(gru) == 3 * 16 * (20 + 16) + 6 * 16);
}

TEST_CASE("Images become tokens by rows or by pixels, and the last token a vector") {
  const Layer rows = around("[4, 6, 3]", "{ name = \"t\", kind = \"rows_to_tokens\" }").layers[0];
  CHECK(to_text(rows.out) == "4x1x18");
  CHECK(is_view(rows.kind));
  const Layer pixels = around("[4, 6, 3]", "{ name = \"t\", kind = \"pixels_to_tokens\" }").layers[0];
  CHECK(to_text(pixels.out) == "24x1x3");
  CHECK(is_view(pixels.kind));
  const Layer last = around("[4, 1, 3]", "{ name = \"t\", kind = \"last_token\" }").layers[0];
  CHECK(to_text(last.out) == "1x1x3");
  CHECK_FALSE(is_view(last.kind));
}

TEST_CASE("Normalisations and positions have weights per channel or per number") {
  CHECK(parameters(around("[5, 1, 7]", "{ name = \"n\", kind = \"rms_norm\" }").layers[0]) == 7);
  CHECK(parameters(around("[5, 1, 7]", "{ name = \"n\", kind = \"layer_norm\" }").layers[0]) == 14);
  CHECK(parameters(around("[5, 1, 7]", "{ name = \"n\", kind = \"position_embedding\" }").layers[0]) == 35);
  const Layer silu = around("[5, 1, 7]", "{ name = \"n\", kind = \"silu\" }").layers[0];
  CHECK(parameters(silu) == 0);
  CHECK(to_text(silu.out) == "5x1x7");
}

TEST_CASE("Attention: query heads may share heads of keys and values, and look back only") {
  const Layer grouped =
      around("[6, 1, 48]", "{ name = \"a\", kind = \"attention\", heads = 8, kv_heads = 2, causal = true }").layers[0];
  CHECK(to_text(grouped.out) == "6x1x32");  // heads of 48 / (8 + 2 + 2) = 4
  CHECK(grouped.kv_heads == 2);
  CHECK(grouped.causal);
  const Layer plain = around("[6, 1, 48]", "{ name = \"a\", kind = \"attention\", heads = 8 }").layers[0];
  CHECK(to_text(plain.out) == "6x1x16");
  CHECK(plain.kv_heads == 8);
  CHECK_FALSE(plain.causal);
}

TEST_CASE("Memory comes before the tokens, of which the last may ask") {
  const LayerGraph graph =
      around("[6, 1, 48]",
             "{ name = \"m\", kind = \"memory\", tokens = 10 },\n"
             "{ name = \"a\", kind = \"attention\", heads = 4, causal = true, queries = 6, distance_size = 8 }");
  CHECK(to_text(graph.layers[0].out) == "16x1x48");
  CHECK(parameters(graph.layers[0]) == 0);
  CHECK(to_text(graph.layers[1].out) == "6x1x16");
  CHECK(parameters(graph.layers[1]) == 8 * 16);
  CHECK(weight_tensors(graph.layers[1]) == 1);
}

TEST_CASE("A concatenation has the channels of both operands") {
  const LayerGraph graph = small_network(network_text(
      "[4, 4, 2]", "4",
      "{ name = \"a\", kind = \"convolution\", filters = 3 },\n{ name = \"b\", kind = \"convolution\", filters = 5 },\n"
      "{ name = \"both\", kind = \"concatenate\", skip = \"a\" },\n{ name = \"pool\", kind = \"global_average_pool\" "
      "},\n" +
          dense + loss));
  CHECK(to_text(graph.layers[2].in) == "4x4x5");
  CHECK(to_text(graph.layers[2].out) == "4x4x8");
  CHECK(graph.layers[2].skip == LayerId(0));
}

TEST_CASE("A depthwise convolution has as many filters and groups as its input has channels") {
  const Layer layer =
      around("[4, 4, 6]", "{ name = \"d\", kind = \"convolution\", depthwise = true, kernel = 3, padding = 1 }")
          .layers[0];
  CHECK(layer.groups == 6);
  CHECK(to_text(layer.out) == "4x4x6");
  CHECK(parameters(layer) == 9 * 6 + 6);
  CHECK(
      problem_around("[1, 1, 6]", "{ name = \"d\", kind = \"convolution\", depthwise = true, filters = 3 }") ==
      R"(small.toml:9:55: network.layers[0]: unknown key "filters" - known: bias, depthwise, frozen, input, kernel, kernel_width, kind, name, padding, padding_width, stride, stride_width, ...
  { name = "d", kind = "convolution", depthwise = true, filters = 3 },
                                                        ^)");
}

TEST_CASE("Windows that are not square have steps and padding of their own to the right") {
  const auto out = [](const std::string& keys) {
    return to_text(
        around("[12, 12, 2]", "{ name = \"c\", kind = \"convolution\", filters = 4, kernel = 3, " + keys + " }")
            .layers[0]
            .out);
  };
  CHECK(out("padding = 1, kernel_width = 5, padding_width = 2, stride = 2") == "6x6x4");
  CHECK(out("padding = 1, kernel_width = 5, padding_width = 2, stride = 2, stride_width = 3") == "6x4x4");
  CHECK(
      problem_around("[4, 4, 2]",
                     "{ name = \"c\", kind = \"convolution\", filters = 4, kernel = 3, stride_width = 2 }") ==
      R"(small.toml:9:77: network.layers[0].stride_width: the window is square (it is of one with columns of its own) - give kernel_width too
  { name = "c", kind = "convolution", filters = 4, kernel = 3, stride_width = 2 },
                                                                              ^)");
}

TEST_CASE("A dropout's rate is at least 0 and below 1") {
  CHECK(around("[1, 1, 6]", "{ name = \"d\", kind = \"dropout\", rate = 0.25 }").layers[0].rate == 0.25);
  CHECK(around("[1, 1, 6]", "{ name = \"d\", kind = \"dropout\", rate = 0 }").layers[0].rate == 0.0);
  CHECK(problem_around("[1, 1, 6]", "{ name = \"d\", kind = \"dropout\", rate = 1 }") ==
        R"(small.toml:9:40: network.layers[0].rate: 1 is out of range (must be at least 0 and below 1)
  { name = "d", kind = "dropout", rate = 1 },
                                         ^)");
  CHECK(problem_around("[1, 1, 6]", "{ name = \"d\", kind = \"dropout\", rate = -0.5 }") ==
        R"(small.toml:9:40: network.layers[0].rate: -0.5 is out of range (must be at least 0 and below 1)
  { name = "d", kind = "dropout", rate = -0.5 },
                                         ^)");
  CHECK(problem_around("[1, 1, 6]", "{ name = \"d\", kind = \"dropout\" }") ==
        R"(small.toml:9:1: network.layers[0].rate: is missing (required)
  { name = "d", kind = "dropout" },
  ^)");
}

TEST_CASE("Attention with sizes of its own, and attention to another layer") {
  const Layer latent = around("[6, 1, 29]",
                              "{ name = \"a\", kind = \"attention\", heads = 2, head_size = 6, value_size = 4, "
                              "shared_size = 3, rate = 0.1, positions = 32 }")
                           .layers[0];
  CHECK(to_text(latent.out) == "6x1x8");  // input: 2 6 + 2 (6 - 3) + 3 + 2 4 = 29
  CHECK(latent.rate == 0.1);
  CHECK(parameters(latent) == 32 * 2);
  const LayerGraph across = small_network(
      network_text("[6, 1, 10]", "4",
                   "{ name = \"kv\", kind = \"dense\", units = 16 },\n{ name = \"q\", kind = \"dense\", units = 16 },\n"
                   "{ name = \"x\", kind = \"cross_attention\", heads = 4, kv_heads = 2, skip = \"kv\" },\n" +
                       dense + loss));
  CHECK(across.layers[2].skip == LayerId(0));
  CHECK(across.layers[2].key_tokens == 6);
  CHECK(to_text(across.layers[2].out) == "6x1x16");
  CHECK(
      problem_around("[8, 1, 12]", "{ name = \"a\", kind = \"attention\", heads = 2, head_size = 3 }") ==
      R"(small.toml:9:58: network.layers[0].head_size: layer "a" (attention) does not fit: queries of 6, keys of 6 and values of 6 numbers side by side need Tx1x18, but the input is 8x1x12 (the network's input gives 8x1x12)
  { name = "a", kind = "attention", heads = 2, head_size = 3 },
                                                           ^)");
  CHECK(
      problems_of(network_text("[8, 1, 12]", "4",
                               "{ name = \"kv\", kind = \"dense\", units = 10 },\n"
                               "{ name = \"x\", kind = \"cross_attention\", heads = 2, skip = \"kv\" },\n" +
                                   loss)) ==
      R"(small.toml:10:59: network.layers[1].skip: layer "x" (cross_attention) does not fit: 2 heads of keys and values side by side need Tx1x20, but "kv" gives 8x1x10 (layer "kv" gives 8x1x10)
  { name = "x", kind = "cross_attention", heads = 2, skip = "kv" },
                                                            ^)");
}

TEST_CASE("Experts, gates, groups, upsampling and class tokens have their shapes and parameters") {
  const Layer experts = around("[5, 1, 8]",
                               "{ name = \"e\", kind = \"mixture_of_experts\", experts = 10, experts_per_token = 2, "
                               "expert_units = 3, shared_experts = 1 }")
                            .layers[0];
  CHECK(to_text(experts.out) == "5x1x8");
  CHECK(parameters(experts) == 8 * 10 + 11 * 3 * 8 * 3);
  const Layer plain = around("[5, 1, 8]",
                             "{ name = \"e\", kind = \"mixture_of_experts\", experts = 10, experts_per_token = 2, "
                             "expert_units = 3, gated = false }")
                          .layers[0];
  CHECK(parameters(plain) == 8 * 10 + 10 * 2 * 8 * 3);
  CHECK(to_text(around("[5, 1, 8]", "{ name = \"g\", kind = \"geglu\" }").layers[0].out) == "5x1x4");
  CHECK(parameters(around("[4, 4, 6]", "{ name = \"g\", kind = \"group_norm\", groups = 3 }").layers[0]) == 12);
  CHECK(parameters(around("[4, 1, 6]", "{ name = \"g\", kind = \"rms_norm\", heads = 3 }").layers[0]) == 2);
  CHECK(to_text(around("[4, 5, 6]", "{ name = \"u\", kind = \"upsample\", stride = 3 }").layers[0].out) == "12x15x6");
  const Layer shuffle = around("[4, 5, 6]", "{ name = \"s\", kind = \"channel_shuffle\", groups = 3 }").layers[0];
  CHECK(to_text(shuffle.out) == "4x5x6");
  CHECK(parameters(shuffle) == 0);
  const Layer token = around("[4, 1, 6]", "{ name = \"c\", kind = \"class_token\" }").layers[0];
  CHECK(to_text(token.out) == "5x1x6");
  CHECK(parameters(token) == 6);
}

TEST_CASE("A loss fits the classes: per token, per number, or a grid of boxes") {
  const LayerGraph tokens = small_network(network_text("[8, 1, 4]", "4", loss));
  CHECK(to_text(tokens.layers[0].in) == "8x1x4");
  for (const std::string kind : {"mean_squared_error", "binary_cross_entropy"}) {
    const std::string layer = "{ name = \"l\", kind = \"" + kind + "\" },\n";
    CHECK(to_text(small_network(network_text("[6, 6, 4]", "4", layer)).layers[0].out) == "1x1x1");
    CHECK(problems_of(network_text("[6, 6, 3]", "4", layer)) ==
          "small.toml:9:22: network.layers[0].kind: layer \"l\" (" + kind +
              ") does not fit: the network has 4 classes, but its input is 6x6x3 (the network's input gives 6x6x3) - "
              "end with a dense layer of 4 units\n  { name = \"l\", kind = \"" +
              kind + "\" },\n                       ^");
  }
  const std::string boxes = "{ name = \"l\", kind = \"detection_loss\" },\n";
  CHECK(to_text(small_network(network_text("[7, 7, 8]", "3", boxes)).layers[0].in) == "7x7x8");
  CHECK(
      problems_of(network_text("[7, 7, 9]", "3", boxes)) ==
      R"(small.toml:9:22: network.layers[0].kind: layer "l" (detection_loss) does not fit: 3 classes need a grid of HxWx8 (a box of 5 numbers and the classes), but its input is 7x7x9 (the network's input gives 7x7x9) - end with a 1x1 convolution of 8 filters
  { name = "l", kind = "detection_loss" },
                       ^)");
  CHECK(
      problems_of(network_text("[1, 1, 4]", "4", "{ name = \"l\", kind = \"mean_squared_error\" },\n" + dense)) ==
      R"(small.toml:8:10: network.layers: the last layer, and no other, is the loss (layer "l" is a loss with layers after it) - end the list with kind = "softmax_cross_entropy"
  layers = [
           ^)");
}

}  // namespace
}  // namespace orrery
