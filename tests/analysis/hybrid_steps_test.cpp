// Parts and joules of layouts of the shipped catalogue, against what must not change them.
#include <string>

#include "analysis/metrics/result_row.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

struct Step {
  StepTime time;
  double joules = 0;
  [[nodiscard]] double exposed(Dimension dimension) const {
    return time.exposed[static_cast<std::size_t>(dimension)].value();
  }
  [[nodiscard]] double sum_of_parts() const {
    return (time.compute + time.recompute + time.optimizer + time.exposed_total() + time.bubble + time.straggler +
            time.input)
        .value();
  }
};

/// In closed form, checked that its parts are the step.
Step step_of(const std::string& network, int batch, const std::string& cluster, const std::string& keys) {
  const Scenario scenario =
      parse_scenario("[workload]\nnetwork = \"" + network + "\"\nbatch = " + std::to_string(batch) +
                         "\nprecision = \"bf16\"\noptimizer = \"adam\"\nframework = \"modern\"\n[cluster]\n" + cluster +
                         "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys,
                     "lab.toml", shipped_catalogue());
  const std::vector<Way> ways = {simulate_way(scenario, 0, shipped_catalogue(), {EngineKind::closed_form, {}})};
  INFO(ways[0].error);
  REQUIRE(ways[0].status == WayStatus::ok);
  const ResultRow row = result_rows(scenario, ways)[0];
  REQUIRE(row.step_energy);
  Step step{row.time, row.step_energy->total().value()};
  CHECK(step.sum_of_parts() == Approx(step.time.step.value()).epsilon(1e-9));
  return step;
}

}  // namespace

TEST_CASE("a loader that delays nothing changes neither parts nor joules of a step") {
  struct Lab {
    std::string network;
    int batch;
    std::string cluster, keys, rate;
  };
  const Lab lab =
      GENERATE(Lab{"qwen3-30b-a3b", 128, "system = \"dgx-h100\"\nnodes = 4\n",
                   "ep = 8\nzero_stage = 1\nrecompute = \"full\"\n", "2"},
               Lab{"llama3.2-3b", 64, "system = \"dgx-h100\"\nnodes = 2\n", "tp = 2\nzero_stage = 1\n", "10"},
               Lab{"llama3.2-3b", 128, "system = \"dgx-h100\"\nnodes = 4\n", "pp = 4\n", "20"});
  INFO(lab.network << lab.keys);
  const Step without = step_of(lab.network, lab.batch, lab.cluster, lab.keys);
  const Step loaded =
      step_of(lab.network, lab.batch, lab.cluster, lab.keys + "input = {samples_per_s = " + lab.rate + "}\n");
  REQUIRE(loaded.time.step.value() == Approx(without.time.step.value()).epsilon(1e-9));
  CHECK(loaded.time.input.value() == 0);
  CHECK(loaded.time.compute.value() == Approx(without.time.compute.value()).epsilon(1e-9));
  CHECK(loaded.time.bubble.value() == Approx(without.time.bubble.value()).margin(1e-9));
  CHECK(loaded.time.exposed_total().value() == Approx(without.time.exposed_total().value()).margin(1e-9));
  CHECK(loaded.time.communication.value() == Approx(without.time.communication.value()).epsilon(1e-9));
  CHECK(loaded.joules == Approx(without.joules).epsilon(1e-9));
}

TEST_CASE("a loader that sets the pace adds its wait and nothing else") {
  const std::string cluster = "system = \"dgx-h100\"\nnodes = 2\n", keys = "tp = 2\nzero_stage = 1\n";
  const Step without = step_of("llama3.2-3b", 64, cluster, keys);
  const Step loaded = step_of("llama3.2-3b", 64, cluster, keys + "input = {samples_per_s = 2}\n");
  CHECK(loaded.time.input.value() == Approx((loaded.time.step - without.time.step).value()).epsilon(0.01));
  CHECK(loaded.time.input.value() > 2);  // eight loads of 0.5 s, of which passes of 0.2 s hide less than half
  CHECK(loaded.exposed(Dimension::tp) == Approx(without.exposed(Dimension::tp)).epsilon(1e-6));
  CHECK(loaded.time.compute.value() == Approx(without.time.compute.value()).epsilon(1e-6));
}

TEST_CASE("nodes that hold different stages cost what they do where every device has a rank of its own") {
  struct Nodes {
    std::string cluster, keys;
    int batch = 80;
  };
  const Nodes nodes = GENERATE(
      // Stages 0 to 3 on a node, 4 alone on another.
      Nodes{"system = \"dgx-a100\"\nnodes = 2\n", "devices = 10\npp = 5\nmicrobatch = 2\n"},
      Nodes{"system = \"dgx-a100\"\nnodes = 2\n", "devices = 12\npp = 3\nmicrobatch = 2\n", 96},
      Nodes{"system = \"dgx-a100\"\nnodes = 3\n", "devices = 20\npp = 5\ntp = 2\nmicrobatch = 2\n"},
      // All stages on one, two of them on another.
      Nodes{"system = \"dgx-a100\"\nnodes = 2\n",
            "devices = 10\npp = 5\nmicrobatch = 2\norder = [\"pp\", \"tp\", \"cp\", \"dp\"]\n"},
      Nodes{"system = \"dgx-a100\"\nnodes = 2\n", "pp = 4\nmicrobatch = 2\n", 96});
  INFO(nodes.keys);
  const auto step = [&](const std::string& fold) {
    return step_of("gpt2-medium", nodes.batch, nodes.cluster, nodes.keys + fold);
  };
  const Step folded = step(""), whole = step("fold = \"never\"\n");
  REQUIRE(folded.time.step.value() == Approx(whole.time.step.value()).epsilon(1e-9));
  CHECK(folded.joules == Approx(whole.joules).epsilon(1e-9));
}

TEST_CASE("an exchange that hides behind the host shows on no fabric") {
  for (const std::string link : {"nvswitch2", "nvswitch3", "nvswitch4"}) {
    INFO(link);
    const Step step = step_of("gpt2-xl", 8, "system = \"dgx-a100\"\nnodes = 1\nnode_link = \"" + link + "\"\n", "");
    const Step other = step_of("gpt2-xl", 8, "system = \"dgx-a100\"\nnodes = 1\nnode_link = \"nvswitch3\"\n", "");
    REQUIRE(step.time.step.value() == Approx(other.time.step.value()).epsilon(1e-6));
    CHECK(step.exposed(Dimension::dp) < 1e-3 * step.time.step.value());
    CHECK(step.time.compute.value() == Approx(other.time.compute.value()).epsilon(1e-6));
    CHECK(step.joules == Approx(other.joules).epsilon(0.02));  // links differ
  }
}

}  // namespace orrery
