// Costs and kernels of slices, embedding tables and what joins vectors, counted by hand.
#include "models/cost/layer_cost.hpp"
#include "models/cost/memory.hpp"
#include "models/cost/operators.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/tensor_split.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

/// 2 numbers and 3 categories: vectors of 4, the first from the numbers.
LayerGraph recommender() {
  return small_network(network_text("[1, 1, 5]", "1",
                                    "{ name = \"sample\", kind = \"flatten\" },\n"
                                    "{ name = \"categories\", kind = \"slice\", first = 2, channels = 3 },\n"
                                    "{ name = \"tables\", kind = \"embedding_tables\", units = 4, rows = [7, 2, 9] },\n"
                                    "{ name = \"numbers\", kind = \"slice\", channels = 2, input = \"sample\" },\n"
                                    "{ name = \"bottom\", kind = \"dense\", units = 4 },\n"
                                    "{ name = \"pairs\", kind = \"dot_interaction\", skip = \"tables\" },\n"
                                    "{ name = \"top\", kind = \"dense\", units = 1 },\n"
                                    "{ name = \"loss\", kind = \"binary_cross_entropy\" },\n"));
}

double bytes(const Layer& layer, Pass pass) {
  return pass_bytes(layer, pass, 1, {}, Precision::fp32).value();
}

TEST_CASE("A slice reads what it writes, its gradient is as wide as its input") {
  const Layer slice = recommender().layers[1];
  CHECK(layer_cost(slice).forward.value() == 0);
  CHECK(layer_cost(slice).stored_numbers == 0);
  CHECK(bytes(slice, Pass::forward) == 4.0 * (3 + 3));
  CHECK(bytes(slice, Pass::backward) == 4.0 * (3 + 3 + 2));
}

TEST_CASE("Embedding tables read the rows they give, and hold all of them") {
  const Layer tables = recommender().layers[2];
  const LayerCost cost = layer_cost(tables);
  CHECK(cost.forward.value() == 0);
  CHECK(cost.parameters == 18 * 4);
  CHECK(cost.weights == 0);
  CHECK(cost.stored_numbers == 3);
  CHECK(bytes(tables, Pass::forward) == 4.0 * (3 + 12 + 12));
  const LayerOperators kernels = operators_of(tables, {.samples = 10}, Precision::fp16);
  REQUIRE(kernels.forward.size() == 1);
  CHECK(kernels.forward[0].bytes == 10 * 12 * 4);
  CHECK(kernels.forward[0].launches == 1);
  CHECK(kernels.backward_input[0].bytes == 10 * 12 * 6);
}

TEST_CASE("An interaction multiplies all vectors with all, and keeps both operands") {
  const Layer pairs = recommender().layers[5];
  const LayerCost cost = layer_cost(pairs);
  CHECK(cost.forward.value() == 2.0 * 4 * 4 * 4);
  CHECK(cost.backward.value() == 2 * cost.forward.value());
  CHECK(cost.input_numbers == 4 + 12);
  CHECK(cost.output_numbers == 4 + 6);
  CHECK(cost.stored_numbers == 4 + 12);
  CHECK(bytes(pairs, Pass::forward) == 4.0 * (16 + 10 + 2 * 16));
  const LayerOperators kernels = operators_of(pairs, {.samples = 10}, Precision::fp16);
  CHECK(flops_of(kernels.forward[0]).value() == 10 * 2.0 * 4 * 4 * 4);
  double backward = 0;
  for (const Operator& op : kernels.backward_input) backward += flops_of(op).value();
  CHECK(backward == 2 * flops_of(kernels.forward[0]).value());
}

TEST_CASE("A vector is added without products, nothing is kept for it") {
  Layer layer;
  layer.kind = LayerKind::add_vector;
  layer.in = layer.out = {2, 3, 4};
  CHECK(layer_cost(layer).forward.value() == 0);
  CHECK(layer_cost(layer).input_numbers == 24 + 4);
  CHECK(layer_cost(layer).stored_numbers == 0);
}

TEST_CASE("A recommender keeps each tensor once") {
  const LayerGraph graph = recommender();
  // categories 3, numbers 2, bottom 4, tables 12, pairs 10; the loss its one score
  CHECK(estimate_memory(graph, std::vector<double>(graph.layers.size(), 1.0), 1, Precision::fp32, OptimizerKind::sgd)
            .activations.value() == 4.0 * (3 + 2 + 4 + 12 + 10 + 1));
}

TEST_CASE("Tensor parallelism splits tables by units and gathers what interacts") {
  const TensorSplit split = split_tensor(recommender(), 2);
  CHECK(split.layers[2].mode == SplitMode::column);
  CHECK(split.layers[2].share.work == 0.5);
  CHECK(split.layers[1].mode == SplitMode::replicated);
  CHECK(split.layers[5].mode == SplitMode::replicated);
  REQUIRE(split.layers[5].before_forward.size() == 2);
  CHECK(split.layers[5].before_forward[0].kind == CollectiveKind::all_gather);
  CHECK(split.layers[5].before_forward[0].numbers + split.layers[5].before_forward[1].numbers == 4 + 12);
}

}  // namespace
}  // namespace orrery
