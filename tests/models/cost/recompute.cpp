// Memory with recomputation, by hand.
#include <string>
#include <vector>

#include "models/cost/memory.hpp"
#include "models/networks/layer_patterns.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

/// Two blocks of dense and gelu, each 10 -> 10, and a head of 4.
LayerGraph two_blocks() {
  return small_network(network_text("[1, 1, 10]", "4",
                                    "{ name = \"b\", block = \"pair\", width = 10, repeat = 2 },\n"
                                    "{ name = \"head\", kind = \"dense\", units = 4 },\n"
                                    "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n",
                                    "[blocks]\npair = [{ name = \"dense\", kind = \"dense\", units = 1 },\n"
                                    "{ name = \"gelu\", kind = \"gelu\" }]\n"));
}

double activations(const LayerGraph& graph, const std::vector<Share>& shares, const InFlight& in_flight) {
  return estimate_memory(graph, shares, in_flight, Precision::fp32, OptimizerKind::sgd).activations.value();
}

const std::vector<Share> all(6);

TEST_CASE("the segments of a network of blocks are its blocks, and what lies beside them") {
  CHECK(recompute_segments(two_blocks()) == std::vector<std::size_t>{0, 2, 4});
  CHECK(recompute_segments(load_network("gpt2")).size() == 14);
}

TEST_CASE("recomputation keeps the segments' inputs, and one segment's activations at a time") {
  // Inputs of both dense layers and both gelu, of the head, and the 4 probabilities.
  CHECK(activations(two_blocks(), all, {.samples = 2}) == 2 * 4.0 * (5 * 10 + 4));
  // The inputs of both blocks and of the head; besides, a block keeps the 10 numbers between its layers.
  CHECK(activations(two_blocks(), all, {.samples = 2, .recompute = Recompute::full}) == 2 * 4.0 * (3 * 10 + 10));
  // Of three passes in flight: the inputs of each, the rest of one.
  CHECK(activations(two_blocks(), all, {.samples = 2, .passes = 3, .recompute = Recompute::full}) ==
        2 * 4.0 * (3 * 3 * 10 + 10));
  CHECK(activations(two_blocks(), all, {.samples = 2, .passes = 3}) == 3 * 2 * 4.0 * (5 * 10 + 4));
}

TEST_CASE("a frozen block below all that trains keeps nothing, not even its input") {
  LayerGraph graph = two_blocks();
  REQUIRE(freeze(graph, "b.1.*") == 1);
  CHECK(activations(graph, all, {.samples = 1, .recompute = Recompute::full}) == 4.0 * (2 * 10 + 10));
}

TEST_CASE("a stage keeps what comes in, and its part of a segment") {
  // The second layer of the first block, and the second block.
  const Share none{0.0, 0.0};
  const std::vector<Share> stage = {none, {}, {}, {}, none, none};
  CHECK(activations(two_blocks(), stage, {.samples = 1, .recompute = Recompute::full}) == 4.0 * (2 * 10 + 10));
}

TEST_CASE("a transformer's blocks keep 2 T h bytes each, as Korthikanti et al. 2022") {
  const LayerGraph graph = load_network("gpt2");
  const double tokens = 1024, hidden = 768, heads = 12, vocabulary = 50257, passes = 3;
  const double kept = estimate_memory(graph, std::vector<Share>(graph.layers.size()),
                                      InFlight{1, passes, Recompute::full}, Precision::bf16, OptimizerKind::adam)
                          .activations.value();
  // Tokens; the inputs of 12 blocks and of the last normalisation. The largest segment is the head: its input and the
  // float32 probabilities of every token.
  const double inputs = 2 * tokens + 13 * 2 * tokens * hidden;
  const double head = 2 * tokens * hidden + 4 * tokens * vocabulary;
  const double block = 30 * tokens * hidden + 2 * heads * tokens * tokens;
  REQUIRE(head > block);
  CHECK(kept == passes * inputs + head);
}

TEST_CASE("recomputation never keeps more, whatever the network") {
  for (const std::string& name : network_names()) {
    CAPTURE(name);
    const LayerGraph graph = load_network(name);
    const std::vector<Share> shares(graph.layers.size());
    for (const double passes : {1.0, 4.0}) {
      CHECK(activations(graph, shares, {1, passes, Recompute::full}) <= activations(graph, shares, {1, passes}) * 1.0);
    }
  }
}

TEST_CASE("bytes and states of the optimizers follow from what they read and write") {
  FrameworkProfile framework;
  const auto bytes = [&](OptimizerKind kind) { return optimizer_bytes(framework, kind); };
  CHECK(mixed_optimizer_bytes(framework, OptimizerKind::adamw) == framework.optimizer_bytes_adam_mixed.value);
  CHECK(mixed_optimizer_bytes(framework, OptimizerKind::lamb) == framework.optimizer_bytes_adam_mixed.value + 12);
  CHECK(mixed_optimizer_bytes(framework, OptimizerKind::momentum) == bytes(OptimizerKind::momentum));
  CHECK(bytes(OptimizerKind::nesterov) == bytes(OptimizerKind::momentum));
  CHECK(bytes(OptimizerKind::adamw) == bytes(OptimizerKind::adam));
  // Reads w, g, m, v, writes m, v for the norms; reads w, m, v, writes w for the update: ten float32.
  CHECK(bytes(OptimizerKind::lamb) == 40.0);
  const auto state = [](OptimizerKind kind) { return bytes_per_parameter(Precision::fp32, kind).optimizer; };
  CHECK(state(OptimizerKind::nesterov) == 4.0);
  CHECK(state(OptimizerKind::adamw) == 8.0);
  CHECK(state(OptimizerKind::lamb) == 8.0);
}

}  // namespace
}  // namespace orrery
