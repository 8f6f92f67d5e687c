// Network files: what blocks become, and the whole texts of what is wrong.
#include <string>

#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

const std::string loss = "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";

TEST_CASE("Windows round down and give height x width x channels") {
  const LayerGraph graph =
      small_network(network_text("[7, 9, 2]", "4",
                                 "{ name = \"conv\", kind = \"convolution\", filters = 6, kernel = 3, stride = 2, "
                                 "padding = 1, groups = 2 },\n"
                                 "{ name = \"pool\", kind = \"max_pool\", kernel = 2 },\n"
                                 "{ name = \"flatten\", kind = \"flatten\" },\n"
                                 "{ name = \"dense\", kind = \"dense\", units = 4, bias = false },\n" +
                                     loss));
  CHECK(to_text(graph.layers[0].out) == "4x5x6");  // (7 + 2 - 3) / 2 + 1, (9 + 2 - 3) / 2 + 1
  CHECK(to_text(graph.layers[1].out) == "2x2x6");
  CHECK(to_text(graph.layers[2].out) == "1x1x24");
  CHECK(parameters(graph.layers[0]) == 3 * 3 * 1 * 6 + 6);
  CHECK(parameters(graph.layers[3]) == 24 * 4);
}

TEST_CASE("A repeated block is placed one after the other, with its width, stride and names") {
  const std::string blocks =
      "[blocks]\n"
      "pair = [\n"
      "  { name = \"conv\", kind = \"convolution\", filters = 2, kernel = 3, padding = 1, strided = true },\n"
      "  { name = \"back\", kind = \"convolution\", filters = 1 },\n"
      "]\n"
      "around = [\n"
      "  { name = \"norm\", kind = \"batch_norm\" },\n"
      "  { name = \"add\", kind = \"residual_add\", skip = \"block\" },\n"
      "]\n";
  const LayerGraph graph = small_network(network_text("[16, 16, 3]", "5",
                                                      "{ name = \"down\", block = \"pair\", width = 5, stride = 2, "
                                                      "repeat = 2, first = 3 },\n"
                                                      "{ name = \"once\", block = \"around\" },\n"
                                                      "{ name = \"pool\", kind = \"global_average_pool\" },\n" +
                                                          loss,
                                                      blocks));
  REQUIRE(graph.layers.size() == 8);
  CHECK(graph.layers[0].name == "down.3.conv");
  CHECK(to_text(graph.layers[0].out) == "8x8x10");
  CHECK(graph.layers[3].name == "down.4.back");
  CHECK(to_text(graph.layers[3].out) == "4x4x5");
  CHECK(graph.layers[5].name == "once.add");
  CHECK(graph.layers[5].input == LayerId(4));
  CHECK(graph.layers[5].skip == LayerId(3));
}

TEST_CASE("Every wrong key of a network file is reported at once") {
  CHECK(
      problems_of(network_text("[28, 28]", "10",
                               "{ name = \"a\", kind = \"dens\", units = 10 },\n"
                               "{ name = \"b\", kind = \"dense\", kernel = 3 },\n"
                               "{ kind = \"max_pool\", kernel = 0 },\n"
                               "{ name = \"c\", kind = \"convolution\", filters = \"many\" },\n" +
                                   loss)) ==
      R"(small.toml:6:9: network.input: an input shape has three numbers, but 2 are given - write [height, width, channels], or [tokens, 1, 1] for a sequence
  input = [28, 28]
          ^
small.toml:9:22: network.layers[0].kind: unknown kind "dens" - did you mean "dense"?
  { name = "a", kind = "dens", units = 10 },
                       ^
small.toml:10:1: network.layers[1].units: is missing (required)
  { name = "b", kind = "dense", kernel = 3 },
  ^
small.toml:10:31: network.layers[1]: unknown key "kernel" - known: bias, frozen, input, kind, name, tied, units
  { name = "b", kind = "dense", kernel = 3 },
                                ^
small.toml:11:1: network.layers[2].name: is missing (required)
  { kind = "max_pool", kernel = 0 },
  ^
small.toml:11:31: network.layers[2].kernel: 0 is out of range (must be at least 1)
  { kind = "max_pool", kernel = 0 },
                                ^
small.toml:12:47: network.layers[3].filters: is the string "many" (an integer is wanted)
  { name = "c", kind = "convolution", filters = "many" },
                                                ^)");
}

TEST_CASE("A layer that does not fit is named with both shapes") {
  CHECK(
      problems_of(network_text("[28, 28, 1]", "10", "{ name = \"a\", kind = \"dense\", units = 10 },\n" + loss)) ==
      R"(small.toml:9:22: network.layers[0].kind: layer "a" (dense) does not fit: takes vectors (1x1xN) or sequences (Tx1xN), but its input is 28x28x1 (the network's input gives 28x28x1) - put a flatten layer before it
  { name = "a", kind = "dense", units = 10 },
                       ^)");
  CHECK(
      problems_of(network_text("[4, 4, 2]", "10",
                               "{ name = \"conv\", kind = \"convolution\", filters = 3, kernel = 5 },\n" + loss)) ==
      R"(small.toml:9:62: network.layers[0].kernel: layer "conv" (convolution) does not fit: a 5x5 window is larger than the input 4x4x2 with padding 0 (the network's input gives 4x4x2) - use a smaller kernel, more padding, or fewer pooling layers before it
  { name = "conv", kind = "convolution", filters = 3, kernel = 5 },
                                                               ^)");
  CHECK(
      problems_of(network_text("[1, 1, 4]", "4",
                               "{ name = \"d\", kind = \"dense\", units = 4 },\n"
                               "{ name = \"e\", kind = \"dense\", units = 5 },\n"
                               "{ name = \"add\", kind = \"residual_add\", skip = \"d\" },\n" +
                                   loss)) ==
      R"(small.toml:11:47: network.layers[2].skip: layer "add" (residual_add) does not fit: it adds 1x1x4 of "d" to 1x1x5 (layer "e" gives 1x1x5) - give both branches the same shape, for example by a 1x1 convolution
  { name = "add", kind = "residual_add", skip = "d" },
                                                ^)");
  CHECK(
      problems_of(network_text("[1, 1, 4]", "10", "{ name = \"d\", kind = \"dense\", units = 9 },\n" + loss)) ==
      R"(small.toml:10:25: network.layers[1].kind: layer "loss" (softmax_cross_entropy) does not fit: the network has 10 classes, but its input is 1x1x9 (layer "d" gives 1x1x9) - end with a dense layer of 10 units
  { name = "loss", kind = "softmax_cross_entropy" },
                          ^)");
}

TEST_CASE("Sequences: positions, heads and tied weights must fit") {
  const std::string words = "{ name = \"words\", kind = \"embedding\", units = 6, vocabulary = 4 },\n";
  CHECK(
      problems_of(network_text(
          "[8, 1, 1]", "4",
          "{ name = \"words\", kind = \"embedding\", units = 6, vocabulary = 4, positions = 7 },\n" + loss)) ==
      R"(small.toml:9:78: network.layers[0].positions: layer "words" (embedding) does not fit: 7 positions are fewer than the tokens of the input 8x1x1 (the network's input gives 8x1x1)
  { name = "words", kind = "embedding", units = 6, vocabulary = 4, positions = 7 },
                                                                               ^)");
  CHECK(
      problems_of(
          network_text("[8, 1, 1]", "4", words + "{ name = \"a\", kind = \"attention\", heads = 4 },\n" + loss)) ==
      R"(small.toml:10:43: network.layers[1].heads: layer "a" (attention) does not fit: 4 heads need queries, keys and values side by side (Tx1x3h, h a multiple of 4), but the input is 8x1x6 (layer "words" gives 8x1x6)
  { name = "a", kind = "attention", heads = 4 },
                                            ^)");
  CHECK(
      problems_of(network_text("[8, 1, 1]", "5",
                               words + "{ name = \"h\", kind = \"dense\", units = 5, tied = true },\n" + loss)) ==
      R"(small.toml:10:49: network.layers[1].tied: layer "h" (dense) does not fit: no embedding of vocabulary 5 and width 6 comes before it to share weights with (layer "words" gives 8x1x6)
  { name = "h", kind = "dense", units = 5, tied = true },
                                                  ^)");
}

TEST_CASE("Names, references, blocks and the loss are checked") {
  const std::string dense = "{ name = \"dense1\", kind = \"dense\", units = 4 },\n";
  CHECK(
      problems_of(network_text("[1, 1, 4]", "4", dense + "{ name = \"dense1\", kind = \"relu\" },\n" + loss)) ==
      R"(small.toml:10:10: network.layers[1].name: two layers are named "dense1" (profiles and tables tell layers apart by their names)
  { name = "dense1", kind = "relu" },
           ^)");
  CHECK(problems_of(network_text("[1, 1, 4]", "4",
                                 dense + "{ name = \"add\", kind = \"residual_add\", skip = \"dens1\" },\n" + loss)) ==
        R"(small.toml:10:47: network.layers[1].skip: no layer "dens1" comes before this one - did you mean "dense1"?
  { name = "add", kind = "residual_add", skip = "dens1" },
                                                ^)");
  CHECK(
      problems_of(network_text("[1, 1, 4]", "4", "{ name = \"s\", block = \"ident\", repeat = 2 },\n" + loss)) ==
      R"(small.toml:9:23: network.layers[0].block: unknown block "ident" ([blocks] does not define it) - add it as an array of layers under [blocks]
  { name = "s", block = "ident", repeat = 2 },
                        ^)");
  CHECK(
      problems_of(network_text("[1, 1, 4]", "4", dense)) ==
      R"(small.toml:8:10: network.layers: the last layer, and no other, is the loss (there is none) - end the list with kind = "softmax_cross_entropy"
  layers = [
           ^)");
  CHECK(problems_of("x = 1\n") ==
        "small.toml: network: the table [network] is missing (a network file describes one network)\n"
        "small.toml:1:1: unknown key \"x\" - known: network\n  x = 1\n  ^");
}

TEST_CASE("A file that is not TOML is one problem") {
  CHECK(problems_of("[network\n") ==
        R"(small.toml:1:9: expected ']', saw '\n' (while reading a table header)
  [network
          ^)");
}

TEST_CASE("A block may read a layer by its name") {
  const std::string blocks = "[blocks]\npair = [\n{ name = \"a\", kind = \"dense\", units = 1 },\n" +
                             std::string("{ name = \"add\", kind = \"residual_add\", skip = \"block\" },\n]\n");
  const std::string before =
      "{ name = \"one\", kind = \"dense\", units = 3 },\n{ name = \"two\", kind = \"dense\", units = 5 },\n";
  const std::string after =
      "{ name = \"out\", kind = \"dense\", units = 4 },\n{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";
  const LayerGraph graph = small_network(
      network_text("[1, 1, 7]", "4",
                   before + "{ name = \"side\", block = \"pair\", width = 3, input = \"one\" },\n" + after, blocks));
  CHECK(graph.layers[2].input == LayerId(0));  // side.a
  CHECK(graph.layers[3].input == LayerId(2));  // side.add
  CHECK(graph.layers[3].skip == LayerId(0));
  CHECK(problems_of(network_text(
            "[1, 1, 7]", "4", before + "{ name = \"side\", block = \"pair\", width = 3, input = \"oen\" },\n" + after,
            blocks)) ==
        "small.toml:11:53: network.layers[2].input: no layer \"oen\" comes before this one - did you mean \"one\"?\n"
        "  { name = \"side\", block = \"pair\", width = 3, input = \"oen\" },\n"
        "                                                      ^");
}

}  // namespace
}  // namespace orrery
