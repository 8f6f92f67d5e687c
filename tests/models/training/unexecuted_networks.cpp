// Networks that can be simulated but not executed are refused by name.
#include "models/networks/transformer.hpp"
#include "models/training/execution_plan.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("A plan names the first layer of every kind that has no kernel") {
  TransformerShape shape;
  shape.name = "experts";
  shape.layers = 3, shape.hidden = 16, shape.heads = 2;
  shape.vocabulary = 10, shape.tokens = 4;
  CHECK(obstacles_to_execution(transformer_graph(shape)).empty());
  shape.experts = 4, shape.experts_per_token = 1, shape.dense_layers = 1;
  shape.dropout = 0.1;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(obstacles_to_execution(graph) ==
        std::vector<std::string>{
            "layer \"block.1.attention\" (attention) drops scores, which its kernel does not",
            "layer \"block.2.experts\" (mixture_of_experts) has no kernel",
        });
  try {
    const ExecutionPlan plan(graph);
    FAIL("the plan was made");
  } catch (const InvalidInput& invalid) {
    CHECK(std::string(invalid.what()) ==
          "experts: cannot be executed: layer \"block.1.attention\" (attention) drops scores, which its kernel does "
          "not - simulate it instead: its cost is known\n"
          "experts: cannot be executed: layer \"block.2.experts\" (mixture_of_experts) has no kernel - simulate it "
          "instead: its cost is known");
  }
}

}  // namespace
}  // namespace orrery
