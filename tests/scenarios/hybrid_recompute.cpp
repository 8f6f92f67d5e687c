// Gradients exchanged beside a backward pass that computes forward passes again: blocks do so in turn.
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

Scenario on_b200(const std::string& keys) {
  return shipped_lab(
      "[workload]\nnetwork = \"llama3-8b\"\ntokens = 2048\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-b200\"\nnodes = 8\n[[strategy]]\nname = \"h\"\n"
      "kind = \"hybrid\"\ndevices = 64\n" +
      keys);
}

}  // namespace

TEST_CASE("recomputation hides gradients as far as the closed form says") {
  const std::string recompute = GENERATE(as<std::string>(), "full", "alternate", "selective", "none");
  const std::string zero = GENERATE(as<std::string>(), "0", "1");
  const std::string layout = GENERATE(as<std::string>(), "tp = 2\nmicrobatch = 2\nsequence_parallel = true\n",
                                      "microbatch = 1\n", "tp = 8\nmicrobatch = 8\nsequence_parallel = true\n",
                                      "tp = 2\npp = 2\nmicrobatch = 2\nsequence_parallel = true\n");
  CAPTURE(recompute, zero, layout);
  const Scenario scenario = on_b200(layout + "zero_stage = " + zero + "\nrecompute = \"" + recompute + "\"\n");
  CHECK(step_of(simulated(scenario)) == Approx(predicted(scenario)).epsilon(0.01));
}

}  // namespace orrery
