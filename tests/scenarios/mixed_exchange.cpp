// Replicas on three kinds of devices that exchange gradients: the simulation begins when the last of them lets it, as
// the closed form says.
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {

TEST_CASE("an exchange among three kinds takes what the closed form says, within 1 %") {
  const std::string keys = GENERATE(as<std::string>(), "", "zero_stage = 1\n", "microbatch = 2\n", "dp = 16\n",
                                    "pp = 2\norder = [\"tp\", \"cp\", \"pp\", \"dp\"]\n");
  const std::string batch = GENERATE(as<std::string>(), "96", "192", "384");
  CAPTURE(keys, batch);
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = " + batch +
      "\nprecision = \"fp16\"\noptimizer = \"adam\"\nframework = \"modern\"\n[cluster]\n"
      "[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 1\n[[cluster.group]]\nsystem = \"dgx-h100\"\nnodes = 1\n"
      "[[cluster.group]]\nsystem = \"dgx1-v100\"\nnodes = 1\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\nbalance = \"speed\"\n" +
      keys);
  const double closed = predicted(scenario);
  CHECK(step_of(simulated(scenario)) == Approx(closed).epsilon(0.01));
}

}  // namespace orrery
