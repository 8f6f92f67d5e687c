// GPT-OSS: windows in every second block, sinks, experts with biases.
#include <stdexcept>
#include <string>
#include <string_view>

#include "models/cost/layer_cost.hpp"
#include "models/cost/operators.hpp"
#include "models/kernels/layer_kernel.hpp"
#include "models/layouts/blocks.hpp"
#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

const Layer& layer_named(const LayerGraph& graph, std::string_view name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + std::string(name));
}

}  // namespace

TEST_CASE("every second block of GPT-OSS sees 128 tokens, from the first on") {
  const LayerGraph graph = load_network("gpt-oss-20b");
  for (int block = 1; block <= 24; ++block) {
    const Layer& attention = layer_named(graph, "block." + std::to_string(block) + ".attention");
    CHECK(attention.window == (block % 2 == 1 ? 128 : 0));
    CHECK(seen_tokens(attention) == (block % 2 == 1 ? 128 : 4096));
    CHECK(attention.sinks);
    CHECK(parameters(attention) == 64);
    CHECK(why_not_executed(attention) == "has a window or sinks, which its kernel has not");
  }
  const Layer& experts = layer_named(graph, "block.1.experts");
  CHECK(router_parameters(experts) == 2880 * 32 + 32);
  CHECK(parameters(experts) == 2880 * 32 + 32 + 32 * (3 * 2880 * 2880 + 3 * 2880));
}

TEST_CASE("a window is what attention multiplies: of the causal one the first tokens see less") {
  const LayerGraph graph = load_network("gpt-oss-20b");
  const Layer &near = layer_named(graph, "block.1.attention"), &far = layer_named(graph, "block.2.attention");
  CHECK(layer_cost(near).forward == Flops(2.0 * 64 * 4096 * 128 * (64 + 64)));
  CHECK(layer_cost(far).forward == Flops(2.0 * 64 * 4096 * 4096 * (64 + 64)));
  OperatorShare share;
  share.samples = 1, share.attention = AttentionKernel::flash;
  const auto fused = [&](const Layer& layer) { return operators_of(layer, share, Precision::bf16).forward[0].flops; };
  CHECK(fused(far) == Approx(layer_cost(far).forward.value() / 2));
  // Token t of 4096 sees min(t, 128), 128 but for the first 127; the half of a token that a mean takes from each is in
  // neither.
  CHECK(fused(near) == Approx(2.0 * 64 * (4096 * 128 - 128 * 64) * (64 + 64)));
  Layer wide = near;
  wide.window = 100000;
  CHECK(fused(wide) == fused(far));
}

TEST_CASE("blocks that differ in what attention sees are dealt as equal ones, and priced apart") {
  const BlockSequence sequence = blocks_of(load_network("gpt-oss-120b"));
  CHECK(sequence.classes.size() == 4);  // embedding, window, all, head
  CHECK(sequence.repeats == 36);
  CHECK(dealt_blocks(sequence) == 36);
  CHECK(divides_into(sequence, 12));
  CHECK(sequence.blocks[1].klass != sequence.blocks[2].klass);
  CHECK(sequence.blocks[1].klass == sequence.blocks[3].klass);
  const std::vector<double> equal(sequence.blocks.size(), 1.0);
  CHECK(deal_blocks(sequence, 4, equal) == std::vector<std::size_t>{0, 10, 19, 28, 38});
}

}  // namespace orrery
