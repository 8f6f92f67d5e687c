// Network files: what blocks become, and the whole texts of what is wrong.
#include <sstream>
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

TEST_CASE("The stride of a block's place is that of an oblong window both ways") {
  const std::string blocks =
      "[blocks]\nwide = [\n  { name = \"conv\", kind = \"convolution\", filters = 1, kernel = 3, padding = 1, "
      "kernel_width "
      "= 7, padding_width = 3, strided = true },\n]\n";
  const LayerGraph graph = small_network(network_text("[16, 16, 3]", "5",
                                                      "{ name = \"down\", block = \"wide\", width = 5, stride = 2 },\n"
                                                      "{ name = \"pool\", kind = \"global_average_pool\" },\n" +
                                                          loss,
                                                      blocks));
  CHECK(to_text(graph.layers[0].out) == "8x8x5");
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
small.toml:11:31: network.layers[2].kernel: 0 is out of range (must be between 1 and 1000000000)
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
      R"(small.toml:10:49: network.layers[1].tied: layer "h" (dense) does not fit: no embedding of vocabulary 5 or more and width 6 comes before it to share weights with (layer "words" gives 8x1x6)
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

/// The lines of the problems that say what is wrong, without those they quote.
std::string wrong_lines(const std::string& input, const std::string& layer) {
  std::istringstream text(problems_of(network_text(input, "4", layer + ",\n" + loss)));
  std::string lines;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("small.toml")) lines += (lines.empty() ? "" : "\n") + line;
  }
  return lines;
}

TEST_CASE("Numbers that no network has are refused before anything is counted with them") {
  const std::string vector = "[1, 1, 4]";
  CHECK(wrong_lines(vector, "{ name = \"r\", kind = \"reshape\", height = 4294967296, width = 4294967296 }") ==
        "small.toml:9:42: network.layers[0].height: 4294967296 is out of range (must be between 1 and 1000000000)\n"
        "small.toml:9:62: network.layers[0].width: 4294967296 is out of range (must be between 1 and 1000000000)");
  CHECK(wrong_lines(vector, "{ name = \"d\", kind = \"dense\", units = 4611686018427387904 }") ==
        "small.toml:9:39: network.layers[0].units: 4611686018427387904 is out of range (must be between 1 and "
        "1000000000)");
  CHECK(wrong_lines("[1, 1, 2]",
                    "{ name = \"e\", kind = \"embedding_tables\", units = 4, rows = [9223372036854775807, 7] }") ==
        "small.toml:9:61: network.layers[0].rows[0]: 9223372036854775807 is out of range (must be between 1 and "
        "1000000000000)");
  CHECK(
      wrong_lines(vector, "{ name = \"b\", block = \"b\", repeat = 10001 }")
          .ends_with("small.toml:9:37: network.layers[0].repeat: 10001 is out of range (must be between 1 and 10000)"));
  CHECK(wrong_lines("[1000000000, 1000000000, 1]", "{ name = \"r\", kind = \"relu\" }") ==
        "small.toml:6:9: network.input: 1000000000x1000000000x1 is larger than any sample (a dimension has at most "
        "1000000000, all together have at most 1e+14 numbers)");
}

TEST_CASE("Of what is wrong already nothing more is said") {
  const std::string relu = "{ name = \"r\", kind = \"relu\" }";
  CHECK(wrong_lines("[0, 28, 1]", relu) ==
        "small.toml:6:10: network.input[0]: 0 is out of range (must be between 1 and 1000000000)");
  CHECK(wrong_lines("\"28x28\"", relu) ==
        "small.toml:6:9: network.input: is the string \"28x28\" (an array is wanted) - put it in [ ]");
  const std::string tables = "{ name = \"e\", kind = \"embedding_tables\", units = 4, rows = ";
  CHECK(wrong_lines("[1, 1, 2]", tables + "[0] }") ==
        "small.toml:9:61: network.layers[0].rows[0]: 0 is out of range (must be between 1 and 1000000000000)");
  CHECK(wrong_lines("[8, 8, 2]",
                    "{ name = \"c\", kind = \"convolution\", filters = 4, kernel_width = 0, padding_width "
                    "= 1 }") ==
        "small.toml:9:65: network.layers[0].kernel_width: 0 is out of range (must be between 1 and 1000000000)");
  const std::string text = network_text("[1, 1, 4]", "4", "");
  const std::string wrong = problems_of(text.substr(0, text.find("layers")) + "layers = 3\n[blocks]\nb = []\n");
  CHECK(wrong ==
        "small.toml:8:10: network.layers: is the integer 3 (an array of tables is wanted) - write "
        "[[network.layers]]\n  layers = 3\n           ^");
}

TEST_CASE("A block that no layer names is unknown, unless a layer may have meant it") {
  const std::string blocks = "[blocks]\nb = [{ name = \"d\", kind = \"dense\", units = 4 }]\n";
  const auto first_lines = [&](const std::string& layer) {
    std::istringstream text(problems_of(network_text("[1, 1, 4]", "4", layer + ",\n" + loss, blocks)));
    std::string lines;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with("small.toml")) lines += line + "\n";
    }
    return lines;
  };
  CHECK(first_lines("{ name = \"x\", kind = \"relu\" }") == "small.toml:13:1: blocks: unknown key \"b\"\n");
  CHECK(first_lines("{ name = \"x\", block = \"c\" }") ==
        "small.toml:9:23: network.layers[0].block: unknown block \"c\" ([blocks] does not define it) - add it as an "
        "array of layers under [blocks]\n");
  CHECK(first_lines("{ name = \"x\", block = 3 }") ==
        "small.toml:9:23: network.layers[0].block: is the integer 3 (a string is wanted) - put it in quotes\n");
  CHECK(first_lines("{ name = \"x\", blok = \"b\" }") ==
        "small.toml:9:1: network.layers[0].kind: is missing (required)\n");
}

TEST_CASE("Layers that give or hold more numbers than any network are refused") {
  CHECK(wrong_lines("[1, 1, 1000000000]", "{ name = \"d\", kind = \"dense\", units = 1000000000 }") ==
        "small.toml:9:22: network.layers[0].kind: layer \"d\" (dense) does not fit: with it the network has more than "
        "1e+14 parameters (the network's input gives 1x1x1000000000)");
  // 100 x 100 x 1e9 / 1 x 1e9 = 1e22, which does not fit into 64 bits
  CHECK(wrong_lines("[100, 100, 1000000000]",
                    "{ name = \"c\", kind = \"convolution\", kernel = 100, filters = 1000000000 }") ==
        "small.toml:9:22: network.layers[0].kind: layer \"c\" (convolution) does not fit: with it the network has more "
        "than 1e+14 parameters (the network's input gives 100x100x1000000000)");
  CHECK(
      wrong_lines("[1, 1, 1]", "{ name = \"e\", kind = \"embedding_tables\", units = 101, rows = [1000000000000] }") ==
      "small.toml:9:22: network.layers[0].kind: layer \"e\" (embedding_tables) does not fit: with it the network has "
      "more than 1e+14 parameters (the network's input gives 1x1x1)");
  CHECK(wrong_lines("[1000000000, 1, 1]", "{ name = \"d\", kind = \"dense\", units = 1000000 }") ==
        "small.toml:9:22: network.layers[0].kind: layer \"d\" (dense) does not fit: it would give "
        "1000000000x1x1000000, but a dimension has at most 1000000000, all together have at most 1e+14 numbers (the "
        "network's input gives 1000000000x1x1)");
  CHECK(wrong_lines("[8, 8, 1]", "{ name = \"u\", kind = \"upsample\", stride = 1000000000 }") ==
        "small.toml:9:22: network.layers[0].kind: layer \"u\" (upsample) does not fit: it would give "
        "8000000000x8000000000x1, but a dimension has at most 1000000000, all together have at most 1e+14 numbers (the "
        "network's input gives 8x8x1)");
}

TEST_CASE("Parameters of several layers are counted together") {
  const std::string tables = ", kind = \"embedding_tables\", units = 1, rows = [";
  std::string rows = "1000000000000";
  for (int i = 1; i < 50; ++i) rows += ", 1000000000000";
  const std::string input = "[1, 1, 50]", all = tables + rows + "] },\n";
  const std::string vector = ", kind = \"flatten\" },\n";
  const std::string two = "{ name = \"a\"" + all + "{ name = \"f\"" + vector + "{ name = \"b\"" + all;
  const std::string end = "{ name = \"g\"" + vector;
  const std::string last = "{ name = \"d\", kind = \"dense\", units = 4 },\n" + loss;
  CHECK(problems_of(network_text(input, "50", two + end + loss)).empty());  // 1e14
  const std::string more = problems_of(network_text(input, "4", two + end + last));
  CHECK(more.substr(0, more.find('\n')) ==
        "small.toml:13:22: network.layers[4].kind: layer \"d\" (dense) does not fit: with it the network has more than "
        "1e+14 parameters (layer \"g\" gives 1x1x50)");
}

}  // namespace
}  // namespace orrery
