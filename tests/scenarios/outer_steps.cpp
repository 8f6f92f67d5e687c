// Islands of replicas with outer steps: read, and simulated against the closed form.
#include <algorithm>

#include "tests/scenarios/hybrid_lab.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

Scenario on_ethernet(const std::string& keys, const std::string& network = "gpt2-medium") {
  return shipped_lab("[workload]\nnetwork = \"" + network +
                     "\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adam\"\nframework = \"modern\"\n"
                     "[cluster]\nsystem = \"dgx-a100\"\nnodes = 4\nnics = 1\nnetwork_link = \"eth-25g\"\n"
                     "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
                     keys);
}

}  // namespace

TEST_CASE("steps with their part of an outer exchange take what the closed form says, folded or not") {
  const std::string keys =
      GENERATE(as<std::string>(), "outer = { islands = 4, every = 10 }\n", "outer = { islands = 2, every = 10 }\n",
               "outer = { islands = 32, every = 10 }\n", "zero_stage = 3\nouter = { islands = 4, every = 5 }\n",
               "tp = 2\nzero_stage = 1\nouter = { islands = 2, every = 4, format = \"bf16\" }\n",
               "tp = 4\npp = 2\nouter = { islands = 2, every = 4 }\n", "cp = 2\nouter = { islands = 4, every = 4 }\n");
  const std::string fold = GENERATE(as<std::string>(), "", "fold = \"never\"\n");
  INFO(keys << fold);
  const Scenario scenario = on_ethernet(keys + fold);
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
}

TEST_CASE("islands on the first of two kinds of nodes take what the closed form says, none reach into the second") {
  const std::string keys = GENERATE(as<std::string>(), "", "zero_stage = 1\n", "zero_stage = 2\nzero_group = 4\n");
  const auto on_two_kinds = [&](const std::string& more) {
    return shipped_lab(
        "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 64\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
        "framework = \"modern\"\n[cluster]\n[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 2\n"
        "[[cluster.group]]\nsystem = \"dgx1-v100\"\nnodes = 2\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
        keys + more);
  };
  INFO(keys);
  const Scenario scenario = on_two_kinds("dp = 16\nouter = { islands = 2, every = 2 }\n");
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
  const Way wide = tried(on_two_kinds("dp = 32\nouter = { islands = 2, every = 2 }\n"));
  CHECK(wide.status == WayStatus::infeasible);
  CHECK(wide.error ==
        "islands are alike, but of these 32 devices 16 are in the first group of nodes - use no more, or leave outer "
        "out");
}

TEST_CASE("every byte of islands is on a wire or beside it") {
  const std::string keys = GENERATE(
      as<std::string>(), "outer = { islands = 4, every = 2 }\n", "zero_stage = 1\nouter = { islands = 2, every = 3 }\n",
      "zero_stage = 3\nouter = { islands = 4, every = 1 }\n", "tp = 4\nouter = { islands = 2, every = 2 }\n");
  INFO(keys);
  const Way way = simulated(on_ethernet(keys));
  double sent = way.layout->beside_node.value() + way.layout->beside_network.value();
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  CHECK(sent == Approx(way.layout->sent_per_device.value() * 32).epsilon(1e-6));
}

TEST_CASE("a slow wire between islands is used once in so many steps") {
  const auto sent = [](const std::string& keys) {
    const Way way = simulated(on_ethernet(keys));
    double bytes = way.layout->beside_network.value();
    for (const LinkUse& use : way.records.links) {
      if (way.platform.links[use.link.index()].scope != LinkScope::inter_node) continue;
      bytes += use.bytes.value() * (way.link_copies.empty() ? 1.0 : way.link_copies[use.link.index()]) / 2;
    }
    return bytes;
  };
  const double ten = sent("outer = { islands = 4, every = 10 }\n");
  CHECK(ten == Approx(50 * sent("outer = { islands = 4, every = 500 }\n")));
  CHECK(ten < 0.5 * sent(""));
}

TEST_CASE("outer steps are read, told, and not taken for synchronous learning") {
  const Scenario scenario = on_ethernet("outer = { islands = 4 }\n");
  const OuterSteps& outer = scenario.strategies[0].hybrid.layout.outer;
  CHECK(outer.islands == 4);
  CHECK(outer.every == 500);
  CHECK(outer.format == Precision::fp32);
  const Way way = simulated(scenario);
  CHECK(std::any_of(way.notes.begin(), way.notes.end(), [](const std::string& note) {
    return note.find("4 islands of 8 replicas") != std::string::npos &&
           note.find("What this does to learning is not simulated") != std::string::npos;
  }));
  const Way odd = tried(on_ethernet("outer = { islands = 3 }\n"));
  CHECK(odd.status == WayStatus::infeasible);
  CHECK(odd.error == "3 islands do not divide dp 32 - use 2 or 4");
}

TEST_CASE("mistakes in outer steps are told with what to do") {
  check_malformed(
      {{"none of its keys", two_nn + box + R"([[strategy]]
name = "a"
kind = "hybrid"
outer = { every = 0, ever = 3, format = "int8" }
)",
        R"(lab.toml:8:9: strategy[0].outer.islands: is missing (required)
  outer = { every = 0, ever = 3, format = "int8" }
          ^
lab.toml:8:19: strategy[0].outer.every: 0 is out of range (must be between 1 and 1000000)
  outer = { every = 0, ever = 3, format = "int8" }
                    ^
lab.toml:8:22: strategy[0].outer: unknown key "ever" - did you mean "every"?
  outer = { every = 0, ever = 3, format = "int8" }
                       ^
lab.toml:8:41: strategy[0].outer.format: unknown name "int8" - known: fp32, bf16, fp16
  outer = { every = 0, ever = 3, format = "int8" }
                                          ^)"},
       {"learning", R"([workload]
network = "2nn"
dataset = "mnist"
learn = true
epochs = 1
)" + box + R"([[strategy]]
name = "a"
kind = "hybrid"
outer = { islands = 2 }
)",
        R"(lab.toml:11:9: strategy[0].outer: learns otherwise than synchronous steps (with learn = true kind = hybrid shares their curve) - leave learn out, or use kind = "local-sgd"
  outer = { islands = 2 }
          ^)"},
       {"another kind", two_nn + box + replicas + "outer = { islands = 2 }\n",
        R"(lab.toml:8:9: strategy[0].outer: belongs to kind = hybrid (this strategy is kind = data) - remove it
  outer = { islands = 2 }
          ^)"}});
}

}  // namespace orrery
