// Shapes, parameters and misfits of slices, reshapes, embedding tables and what joins vectors.
#include <string>

#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

const std::string loss = "{ name = \"loss\", kind = \"mean_squared_error\" },\n";

LayerGraph network(const std::string& input, const std::string& classes, const std::string& layers,
                   const std::string& blocks = {}) {
  return small_network(network_text(input, classes, layers + loss, blocks));
}

std::string first_line(const std::string& input, const std::string& layers) {
  const std::string text = problems_of(network_text(input, "1", layers + loss));
  return text.substr(0, text.find('\n'));
}

TEST_CASE("Tokens become a square image, and any shape another of as many numbers") {
  const LayerGraph pixels = network("[9, 1, 4]", "4", "{ name = \"p\", kind = \"tokens_to_pixels\" },\n");
  CHECK(to_text(pixels.layers[0].out) == "3x3x4");
  CHECK(is_view(LayerKind::tokens_to_pixels));
  const LayerGraph shaped =
      network("[1, 1, 24]", "4", "{ name = \"r\", kind = \"reshape\", height = 2, width = 3 },\n");
  CHECK(to_text(shaped.layers[0].out) == "2x3x4");
  CHECK(is_view(LayerKind::reshape));
  CHECK(first_line("[8, 1, 4]", "{ name = \"p\", kind = \"tokens_to_pixels\" },\n") ==
        "small.toml:9:22: network.layers[0].kind: layer \"p\" (tokens_to_pixels) does not fit: takes the pixels of a "
        "square image (Tx1xC, T a square), but its input is 8x1x4 (the network's input gives 8x1x4) - an image that is "
        "not square is a reshape with its height and width");
  CHECK(
      first_line("[1, 1, 10]", "{ name = \"r\", kind = \"reshape\", height = 2, width = 3 },\n") ==
      "small.toml:9:42: network.layers[0].height: layer \"r\" (reshape) does not fit: 2x3 places do not divide the 10 "
      "numbers of the input 1x1x10 (the network's input gives 1x1x10)");
}

TEST_CASE("A slice has the channels it names, times the width of its block") {
  const LayerGraph graph = network("[3, 3, 8]", "6",
                                   "{ name = \"s\", kind = \"slice\", first = 1, channels = 7 },\n"
                                   "{ name = \"b\", block = \"half\", width = 3, input = \"s\" },\n"
                                   "{ name = \"c\", kind = \"concatenate\", skip = \"b.part\" },\n",
                                   "[blocks]\nhalf = [\n{ name = \"part\", kind = \"slice\", first = 1, channels = 1 "
                                   "},\n]\n");
  CHECK(to_text(graph.layers[0].out) == "3x3x7");
  CHECK(graph.layers[0].first_channel == 1);
  CHECK(to_text(graph.layers[1].out) == "3x3x3");
  CHECK(graph.layers[1].first_channel == 3);
  CHECK(first_line("[1, 1, 8]", "{ name = \"s\", kind = \"slice\", first = 2, channels = 7 },\n") ==
        "small.toml:9:53: network.layers[0].channels: layer \"s\" (slice) does not fit: the 7 channels after the first "
        "2 are not all in the input 1x1x8 (the network's input gives 1x1x8)");
}

TEST_CASE("Embedding tables give a vector each, a dot interaction appends the products of all pairs") {
  const LayerGraph graph = network("[1, 1, 5]", "10",
                                   "{ name = \"sample\", kind = \"flatten\" },\n"
                                   "{ name = \"numbers\", kind = \"slice\", first = 2, channels = 3 },\n"
                                   "{ name = \"tables\", kind = \"embedding_tables\", units = 4, rows = [7, 2, 9] },\n"
                                   "{ name = \"dense\", kind = \"dense\", units = 4, input = \"sample\" },\n"
                                   "{ name = \"pairs\", kind = \"dot_interaction\", skip = \"tables\" },\n");
  CHECK(to_text(graph.layers[2].out) == "3x1x4");
  CHECK(parameters(graph.layers[2]) == 18 * 4);
  CHECK(has_weights(LayerKind::embedding_tables));
  CHECK(to_text(graph.layers[4].out) == "1x1x10");  // 4 + 4 3 / 2
  CHECK(interacting_vectors(graph.layers[4]) == 4);
}

TEST_CASE("Tables, interactions and vectors that do not fit are named with the shapes") {
  CHECK(first_line("[1, 1, 4]", "{ name = \"t\", kind = \"embedding_tables\", units = 4, rows = [7, 2, 9] },\n") ==
        "small.toml:9:60: network.layers[0].rows: layer \"t\" (embedding_tables) does not fit: 3 tables take 3 row "
        "numbers (1x1x3), but its input is 1x1x4 (the network's input gives 1x1x4) - take them out of a longer vector "
        "with a slice");
  CHECK(first_line("[1, 1, 4]", "{ name = \"t\", kind = \"embedding_tables\", units = 4, rows = [] },\n") ==
        "small.toml:9:60: network.layers[0].rows: there is no table - write the rows of each table, for example rows = "
        "[1460, 583, 24]");
  CHECK(
      first_line("[4, 1, 4]",
                 "{ name = \"a\", kind = \"dense\", units = 3 },\n"
                 "{ name = \"p\", kind = \"dot_interaction\", skip = \"a\" },\n") ==
      "small.toml:10:48: network.layers[1].skip: layer \"p\" (dot_interaction) does not fit: it multiplies a vector "
      "(1x1xd) with others as long (Nx1xd), but its input is 4x1x3, and \"a\" gives 4x1x3 (layer \"a\" gives 4x1x3) - "
      "give the tables as many units as the dense layer before it");
  CHECK(first_line("[2, 2, 4]",
                   "{ name = \"a\", kind = \"convolution\", filters = 3 },\n"
                   "{ name = \"v\", kind = \"add_vector\", skip = \"a\" },\n") ==
        "small.toml:10:43: network.layers[1].skip: layer \"v\" (add_vector) does not fit: it adds 2x2x3 of \"a\" to "
        "every position of 2x2x3, which takes 1x1x3 (layer \"a\" gives 2x2x3) - make the vector of 3 numbers with a "
        "dense layer");
}

}  // namespace
}  // namespace orrery
