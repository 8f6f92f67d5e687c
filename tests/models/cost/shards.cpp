// How a batch is cut, by hand.
#include "models/cost/shards.hpp"

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

}  // namespace
}  // namespace orrery
