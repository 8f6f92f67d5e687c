// Freezing layers and blocks, and what still needs a gradient then.
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

const std::string loss = "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";

TEST_CASE("A frozen layer keeps its parameters, but trains none") {
  const LayerGraph graph = small_network(network_text("[1, 1, 3]", "4",
                                                      "{ name = \"a\", kind = \"dense\", units = 5, frozen = true },\n"
                                                      "{ name = \"r\", kind = \"relu\" },\n"
                                                      "{ name = \"b\", kind = \"dense\", units = 4 },\n" +
                                                          loss));
  CHECK(parameters(graph) == 20 + 24);
  CHECK(trainable_parameters(graph.layers[0]) == 0);
  CHECK(trainable_parameters(graph) == 24);
  CHECK(needs_gradient(graph) == std::vector<bool>{false, false, true, true});
}

TEST_CASE("A frozen layer above one that trains still passes the gradient on") {
  LayerGraph graph = small_perceptron();  // dense1 relu dense2 loss
  CHECK(needs_gradient(graph) == std::vector<bool>{true, true, true, true});
  graph.layers[2].frozen = true;
  CHECK(needs_gradient(graph) == std::vector<bool>{true, true, true, true});
  graph.layers[0].frozen = true;
  CHECK(needs_gradient(graph) == std::vector<bool>{false, false, false, false});
}

TEST_CASE("What is read through a skip needs its gradient, what comes before the first weights does not") {
  const LayerGraph graph = small_network(network_text("[1, 1, 4]", "4",
                                                      "{ name = \"start\", kind = \"tanh\" },\n"
                                                      "{ name = \"a\", kind = \"dense\", units = 4 },\n"
                                                      "{ name = \"side\", kind = \"relu\", input = \"start\" },\n"
                                                      "{ name = \"add\", kind = \"residual_add\", skip = \"a\" },\n" +
                                                          loss));
  CHECK(needs_gradient(graph) == std::vector<bool>{false, true, false, true, true});
}

TEST_CASE("A frozen block freezes all its layers that have weights, here and not elsewhere") {
  const std::string blocks =
      "[blocks]\npair = [\n{ name = \"conv\", kind = \"convolution\", filters = 1 },\n"
      "{ name = \"norm\", kind = \"batch_norm\" },\n{ name = \"relu\", kind = \"relu\" },\n]\n";
  const LayerGraph graph =
      small_network(network_text("[4, 4, 2]", "4",
                                 "{ name = \"low\", block = \"pair\", width = 3, frozen = true },\n"
                                 "{ name = \"high\", block = \"pair\", width = 4 },\n"
                                 "{ name = \"pool\", kind = \"global_average_pool\" },\n" +
                                     loss,
                                 blocks));
  std::vector<bool> frozen;
  for (const Layer& layer : graph.layers) frozen.push_back(layer.frozen);
  CHECK(frozen == std::vector<bool>{true, true, false, false, false, false, false, false});
  CHECK(parameters(graph) - trainable_parameters(graph) == 2 * 3 + 3 + 6);
}

TEST_CASE("What has no weights cannot be frozen") {
  CHECK(problems_of(network_text("[1, 1, 4]", "4", "{ name = \"r\", kind = \"relu\", frozen = true },\n" + loss)) ==
        R"(small.toml:9:30: network.layers[0]: unknown key "frozen" - known: input, kind, name
  { name = "r", kind = "relu", frozen = true },
                               ^)");
  CHECK(problems_of(network_text("[1, 1, 4]", "4", "{ name = \"s\", block = \"b\", frozen = true },\n" + loss,
                                 "[blocks]\nb = [\n{ name = \"r\", kind = \"relu\" },\n]\n")) ==
        R"(small.toml:9:37: network.layers[0].frozen: no layer of block "b" has weights to freeze
  { name = "s", block = "b", frozen = true },
                                      ^)");
}

TEST_CASE("Tied weights are frozen with their embedding, and not without") {
  const auto text = [](const std::string& words, const std::string& head) {
    return network_text("[8, 1, 1]", "4",
                        "{ name = \"words\", kind = \"embedding\", units = 6, vocabulary = 4" + words +
                            " },\n{ name = \"head\", kind = \"dense\", units = 4, tied = true" + head + " },\n" + loss);
  };
  CHECK(trainable_parameters(small_network(text("", ""))) == 24 + 4);
  CHECK(trainable_parameters(small_network(text(", frozen = true", ""))) == 0);
  CHECK(
      problems_of(text("", ", frozen = true")) ==
      R"(small.toml:10:67: network.layers[1].frozen: layer "head" (dense) does not fit: its weights are those of "words", which is trained (layer "words" gives 8x1x6) - freeze "words" too, or neither
  { name = "head", kind = "dense", units = 4, tied = true, frozen = true },
                                                                    ^)");
}

}  // namespace
}  // namespace orrery
