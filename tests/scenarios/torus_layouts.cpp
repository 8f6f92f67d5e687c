// Devices whose only link is their port on the network (chips of a torus): what they send to those beside them and to
// others goes through it.
#include <string>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

Scenario chips(const std::string& system, int nodes, const std::string& layout) {
  return shipped_lab(
      "[workload]\nnetwork = \"llama3.2-1b\"\ntokens = 512\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
      "framework = \"xla\"\n[cluster]\nsystem = \"" +
      system + "\"\nnodes = " + std::to_string(nodes) + "\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + layout);
}

}  // namespace

TEST_CASE("chips of a torus take in closed form what they do in the flow engine, to 1 %") {
  const std::string layout = GENERATE(as<std::string>(), "", "zero_stage = 2\n", "zero_stage = 3\n", "tp = 8\n");
  const std::string system = GENERATE(as<std::string>(), "tpu-v4-pod", "tpu-v5p-pod");
  const int nodes = GENERATE(2, 8);
  INFO(system << ", " << nodes << " nodes, " << layout);
  const Scenario scenario = chips(system, nodes, layout);
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

TEST_CASE("planes of fewer chips than a host has count chips, not hosts") {
  const std::string layout = GENERATE(as<std::string>(), "tp = 4\nzero_stage = 3\n", "tp = 2\nzero_stage = 3\n");
  const std::string system = GENERATE(as<std::string>(), "tpu-v5e-pod", "tpu-v5p-pod");
  const int nodes = GENERATE(1, 2, 4);
  INFO(system << ", " << nodes << " nodes, " << layout);
  const Scenario scenario = chips(system, nodes, layout);
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

TEST_CASE("no ring of chips is faster than their ports") {
  // Before, what went to chips of the same host counted as if it had another port.
  for (const int nodes : {1, 2, 16}) {
    const Scenario scenario = chips("tpu-v4-pod", nodes, "");
    const TrainingJob job = training_job(scenario, scenario.strategies[0]);
    const LibraryCost cost = LayoutJudge(job).prices(scenario.strategies[0].hybrid.layout).gradient_exchange;
    CHECK(cost.node_bytes == Bytes());
    const double rate = (cost.network_bytes / cost.wire).value(), ports = job.network_law.bus_GBps.value * 1e9;
    CHECK(rate <= ports * (1 + 1e-9));
    // The four chips of one host stand on two planes, between which there are fewer lines.
    if (nodes > 1) CHECK(rate == Approx(ports).epsilon(1e-9));
  }
}

}  // namespace orrery
