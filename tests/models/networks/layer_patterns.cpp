// Names with stars, and the layers they freeze.
#include "models/networks/layer_patterns.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

TEST_CASE("a star stands for any letters, also for none, all else for itself") {
  CHECK(matches("conv1", "conv1"));
  CHECK_FALSE(matches("conv1", "conv10"));
  CHECK(matches("conv*", "conv10"));
  CHECK(matches("conv*", "conv"));
  CHECK(matches("*", ""));
  CHECK(matches("block.*.norm*", "block.11.norm2"));
  CHECK_FALSE(matches("block.*.norm*", "block.11.up"));
  CHECK(matches("*a*a", "banana"));
  CHECK_FALSE(matches("*a*b", "banana"));
  CHECK_FALSE(matches("", "a"));
}

TEST_CASE("freezing marks layers with weights and says how many") {
  LayerGraph graph = small_perceptron();
  CHECK(freeze(graph, "relu") == 0);
  CHECK(freeze(graph, "nothing") == 0);
  CHECK(trainable_parameters(graph) == 505510);
  CHECK(freeze(graph, "dense*") == 2);
  CHECK(trainable_parameters(graph) == 0);
}

TEST_CASE("a tied layer is frozen with its embedding, and not without it") {
  LayerGraph graph = load_network("gpt2");
  CHECK(freeze(graph, "head") == 0);
  CHECK(trainable_parameters(graph) == parameters(graph));
  CHECK(freeze(graph, "embedding") == 1);
  CHECK(graph.layers[layers_matching(graph, "head").at(0)].frozen);
  CHECK(trainable_parameters(graph) == parameters(graph) - 39383808);
}

}  // namespace
}  // namespace orrery
