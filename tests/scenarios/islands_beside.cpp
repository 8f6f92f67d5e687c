// What a simulated step leaves out of outer steps, and says so: bytes beside the wires, jitter of islands.
#include <algorithm>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

/// 32 A100 in four nodes on Ethernet.
Scenario on_ethernet(const std::string& keys) {
  return shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 4\nnics = 1\nnetwork_link = \"eth-25g\"\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
      keys);
}

double on_wires(const Way& way) {
  double sent = 0;
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  return sent;
}

double beside(const Way& way) {
  return way.layout->beside_node.value() + way.layout->beside_network.value();
}

bool tells(const Way& way, const std::string& words) {
  return std::any_of(way.notes.begin(), way.notes.end(),
                     [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("every byte of islands is on a wire or beside it, with a rank per device, too") {
  const std::string keys = GENERATE(
      as<std::string>(), "outer = { islands = 4, every = 2 }\n", "outer = { islands = 2, every = 1 }\n",
      "zero_stage = 1\nzero_group = 4\nouter = { islands = 4, every = 1 }\n",
      "tp = 2\nzero_stage = 1\nouter = { islands = 2, every = 2 }\n",
      "cp = 2\nzero_stage = 1\nouter = { islands = 4, every = 3 }\n", "tp = 4\npp = 2\nouter = { islands = 2 }\n");
  CAPTURE(keys);
  const Way folded = simulated(on_ethernet(keys)), whole = simulated(on_ethernet(keys + "fold = \"never\"\n"));
  const double all = 32 * folded.layout->sent_per_device.value();
  CHECK(on_wires(folded) + beside(folded) == Approx(all).epsilon(1e-6));
  CHECK(on_wires(whole) + beside(whole) == Approx(all).epsilon(1e-6));
  CHECK(beside(whole) == Approx(beside(folded)).epsilon(1e-6).margin(1));
}

TEST_CASE("what an island gathers crosses the links of its node, folded or not") {
  const std::string outer = GENERATE(as<std::string>(), "outer = { islands = 4, every = 2 }\n",
                                     "tp = 2\nouter = { islands = 4, every = 1 }\n");
  const std::string fold = GENERATE(as<std::string>(), "", "fold = \"never\"\n");
  CAPTURE(outer, fold);
  const Scenario scenario = on_ethernet(outer + fold);
  const Layout& layout = scenario.strategies[0].hybrid.layout;
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  const double gathered = judge.prices(layout).outer.states.sent.node.value();
  CHECK(gathered > 0);
  // A ring of so many ranks, in four bytes.
  const double ranks = layout.dp / 4.0;
  const double numbers = judge.prices(layout).stages[0].chunks[0].parameters;
  CHECK(gathered == Approx((ranks - 1) / ranks * numbers * 4 / layout.outer.every));
  const Way way = simulated(scenario);
  CHECK(beside(way) < 1e-6 * 32 * gathered);
}

TEST_CASE("islands whose ranks share experts take what the closed form says, and lose no byte, folded or not") {
  const std::string keys =
      GENERATE(as<std::string>(), "ep = 4\nzero_stage = 2\n", "ep = 4\ntp = 2\nzero_stage = 1\nzero_group = 4\n",
               "ep = 4\ntp = 2\n", "ep = 2\nzero_stage = 1\nzero_group = 8\n", "ep = 4\nzero_stage = 3\n");
  const std::string fold = GENERATE(as<std::string>(), "", "fold = \"never\"\n");
  CAPTURE(keys, fold);
  Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"mixtral-8x7b\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 4\n[[strategy]]\nname = \"h\"\n"
      "kind = \"hybrid\"\nouter = { islands = 2, every = 1 }\n" +
      keys + fold);
  scenario.strategies[0].cluster.description.device.memory = Bytes(1e12);
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
  const Way way = simulated(scenario);
  CHECK(on_wires(way) + beside(way) == Approx(32 * way.layout->sent_per_device.value()).epsilon(1e-6));
}

TEST_CASE("what a rank with jitter waits for in every step is told where islands meet once in many") {
  const std::string words = "Islands wait here for the slowest of them in every step, in truth once in 50";
  const std::string outer = "outer = { islands = 4, every = 50 }\n";
  CHECK(tells(simulated(on_ethernet(outer + "jitter = 0.1\n")), words));
  CHECK(!tells(simulated(on_ethernet(outer)), "Islands wait here"));
  CHECK(!tells(simulated(on_ethernet("jitter = 0.1\nouter = { islands = 4, every = 1 }\n")), "Islands wait here"));
}

}  // namespace orrery
