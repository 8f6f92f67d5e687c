// Plans for networks of which some layers are frozen.
#include <string>

#include "scenarios/strategies/buckets.hpp"
#include "scenarios/strategies/stages.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/small.hpp"

namespace orrery {
namespace {

/// 2NN: 0 flatten, 1 dense1, 2 relu1, 3 dense2, 4 relu2, 5 dense3, 6 loss; only dense3 trains.
LayerGraph last_layer_trains(LayerGraph graph) {
  graph.layers[1].frozen = graph.layers[3].frozen = true;
  return graph;
}

Plan plan_of(const Scenario& scenario) {
  const StrategySpec& strategy = scenario.strategies.front();
  const CostModel cost = cost_model(scenario, strategy, small_catalogue());
  const Cluster cluster = build_cluster(strategy.cluster.description);
  return entry_of(strategy.kind).plan({scenario, strategy, cost, cluster});
}

double exchanged_bytes(const Program& program) {
  double bytes = 0;
  for (const Collective& collective : program.collectives()) bytes += collective.bytes.value();
  return bytes;
}

double flops_of(const Program& program, Phase phase) {
  double flops = 0;
  for (const Op& op : program.ops()) {
    const auto* compute = std::get_if<Compute>(&op.action);
    if (compute != nullptr && op.phase == phase) flops += compute->flops.value();
  }
  return flops;
}

}  // namespace

TEST_CASE("replicas exchange the gradients of what trains, and work backward down to it only") {
  Scenario scenario = scenario_of(two_layer_lab("batch = 10\noptimizer = \"adam\"") +
                                  "[[strategy]]\nname = \"a\"\nkind = \"data\"\ndevices = 2\n");
  scenario.workload.network = last_layer_trains(scenario.workload.network);
  const Plan plan = plan_of(scenario);
  CHECK(exchanged_bytes(plan.program) == 4.0 * 2'010);
  CHECK(flops_of(plan.program, Phase::forward) == 10 * 2.0 * 198'800);
  CHECK(flops_of(plan.program, Phase::backward) == 10 * 4.0 * 2'000);
  CHECK(plan.model_flops.value() == 10 * (2.0 * 198'800 + 4.0 * 2'000));
  CHECK(plan.memory.weights.value() == 4.0 * 199'210);
  CHECK(plan.memory.gradients.value() == 4.0 * 2'010);
  CHECK(plan.memory.optimizer.value() == 8.0 * 2'010);
}

TEST_CASE("buckets hold the gradients of what trains, what lies below follows without any") {
  const LayerGraph graph = last_layer_trains(load_network("2nn"));
  const auto buckets = gradient_buckets(graph, Bytes(1), Bytes(4));
  REQUIRE(buckets.size() == 2);
  CHECK(buckets[0].layers == Span{5, 7});
  CHECK(buckets[0].bytes.value() == 4 * 2'010);
  CHECK(buckets[1].layers == Span{0, 5});
  CHECK(buckets[1].bytes.value() == 0);
}

TEST_CASE("no gradient crosses a cut below the lowest layer that trains") {
  const LayerGraph graph = last_layer_trains(load_network("2nn"));
  CHECK(numbers_across(graph, 3, Pass::forward) == 200);
  CHECK(numbers_across(graph, 3, Pass::backward) == 0);
  CHECK(numbers_across(graph, 6, Pass::backward) == 10);
}

TEST_CASE("stages that share frozen weights exchange no gradients of them") {
  Scenario scenario = scenario_of(
      "[workload]\nnetwork = \"gpt-mini\"\nframework = \"ideal\"\ncompute = \"roofline\"\nbatch = 4\n[cluster]\ndevice "
      "= \"gpu\"\nnodes = 2\n"
      "network_link = \"net\"\n[[strategy]]\nname = \"a\"\nkind = \"pipeline\"\nmicrobatches = 2\ndevices = 2\n");
  CHECK(exchanged_bytes(plan_of(scenario).program) == 4.0 * 1'000 * 256);
  for (Layer& layer : scenario.workload.network.layers) {
    layer.frozen = layer.tied || layer.kind == LayerKind::embedding;
  }
  CHECK(plan_of(scenario).program.collectives().empty());
}

}  // namespace orrery
