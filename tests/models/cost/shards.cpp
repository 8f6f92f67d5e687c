// How a batch is cut, by hand.
#include "models/cost/shards.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

TEST_CASE("A batch is cut in a power of two of shards, no more than are worth their start") {
  // 100 samples of 1 MFLOP are worth a shard. From 4 shards on it takes more than that to double them.
  CHECK(batch_shards(1e6, 1e8, 1) == 1);
  CHECK(batch_shards(1e6, 1e8, 199) == 1);
  CHECK(batch_shards(1e6, 1e8, 200) == 2);
  CHECK(batch_shards(1e6, 1e8, 399) == 2);
  CHECK(batch_shards(1e6, 1e8, 400) == 4);
  CHECK(batch_shards(1e6, 1e8, 3199) == 4);
  CHECK(batch_shards(1e6, 1e8, 3200) == 8);
  CHECK(batch_shards(1e6, 1e8, 12799) == 8);
  CHECK(batch_shards(1e6, 1e8, 12800) == 16);
  CHECK(batch_shards(1e6, 1e8, 1000000) == 16);
}

TEST_CASE("No shard is empty") {
  CHECK(batch_shards(1e12, 1e8, 1) == 1);
  CHECK(batch_shards(1e12, 1e8, 3) == 2);
}

TEST_CASE("A network's shards follow from its FLOPs and parameters") {
  // dense1, 500,000 weights on vectors: its gradient is computed in 8 parts. dense2 has too few for that. A shard must
  // be worth 160 x 500,500 + 800 x 5,010 = 84.088 MFLOP, which 27.8 samples of 6 x 505,000 FLOPs are.
  const LayerGraph graph = small_perceptron();
  CHECK(parameter_blocks(graph.layers[0]) == 8);
  CHECK(parameter_blocks(graph.layers[1]) == 0);
  CHECK(parameter_blocks(graph.layers[2]) == 0);
  CHECK(shard_worth(graph) == Approx(84.088e6));
  CHECK(batch_shards(graph, 55) == 1);
  CHECK(batch_shards(graph, 56) == 2);
  CHECK(batch_shards(graph, 111) == 2);
  CHECK(batch_shards(graph, 112) == 4);
}

TEST_CASE("The busiest thread has the shards that do not come out even") {
  const LayerGraph graph = small_perceptron();
  CHECK(busiest_share(graph, 112, 1) == 1.0);
  CHECK(busiest_share(graph, 112, 2) == 0.5);
  CHECK(busiest_share(graph, 112, 3) == 0.5);
  CHECK(busiest_share(graph, 112, 4) == 0.25);
  CHECK(busiest_share(graph, 112, 64) == 0.25);
  CHECK(busiest_share(graph, 1, 2) == 1.0);
}

TEST_CASE("Gradient blocks are a power of two, of at least 20,000 weights") {
  const auto blocks = [](std::int64_t inputs, std::int64_t units) {
    const std::string layers = "{ name = \"dense\", kind = \"dense\", units = " + std::to_string(units) +
                               " },\n{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";
    const std::string input = "[1, 1, " + std::to_string(inputs) + "]";
    return parameter_blocks(small_network(network_text(input, std::to_string(units), layers)).layers[0]);
  };
  CHECK(blocks(100, 199) == 0);
  CHECK(blocks(100, 200) == 1);
  CHECK(blocks(784, 200) == 4);  // 156,800: seven times 20,000
  CHECK(blocks(800, 200) == 8);
  CHECK(blocks(8000, 200) == 8);
}

TEST_CASE("An update stays on the core that has its numbers in its cache") {
  CHECK(update_threads(262'144, 1, 2) == 1);  // 2 MiB of weights and gradients
  CHECK(update_threads(262'145, 1, 2) == 2);
  CHECK(update_threads(100, 2, 4) == 4);  // two cores have made gradients
  CHECK(update_threads(100, 1, 1) == 1);
}

}  // namespace
}  // namespace orrery
