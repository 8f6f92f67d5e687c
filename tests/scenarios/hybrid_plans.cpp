// Layouts simulated against the closed forms that price them.
#include <cmath>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/training_job.hpp"
#include "scenarios/way.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

const Catalogue& shipped() {
  static const Catalogue catalogue = [] {
    Problems problems;
    Catalogue read = read_catalogue(ORRERY_TEST_DIR "/../topologies/catalogue", problems);
    problems.throw_if_any();
    return read;
  }();
  return catalogue;
}

Scenario gpt(const std::string& keys, const std::string& workload = "", const std::string& cluster = "") {
  return parse_scenario(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 64\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"megatron-2021\"\n" +
          workload + "[cluster]\nsystem = \"dgx-a100\"\nnodes = 2\n" + cluster +
          "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys,
      "lab.toml", shipped());
}

Way simulated(const Scenario& scenario, EngineKind engine = EngineKind::closed_form) {
  const Way way = simulate_way(scenario, 0, shipped(), {engine, {}});
  INFO(way.error);
  REQUIRE(way.status == WayStatus::ok);
  return way;
}

double step_of(const Way& way) {
  return way.records.makespan.value() * (1 + way.straggler_share);
}

double predicted(const Scenario& scenario) {
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  return judge.predict(scenario.strategies[0].hybrid.layout).time().value();
}

}  // namespace

TEST_CASE(
    "a simulated layout takes what its closed form says, within 1 % without contention, 2 % where messages weigh") {
  const std::string keys = GENERATE(
      as<std::string>(), "", "tp = 8\n", "tp = 4\npp = 4\n", "tp = 2\npp = 4\ninterleave = 3\nrecompute = \"full\"\n",
      "tp = 8\nsequence_parallel = true\nzero_stage = 1\nrecompute = \"selective\"\n", "zero_stage = 3\n",
      "pp = 8\nschedule = \"gpipe\"\n", "tp = 2\npp = 4\nschedule = \"zb-h1\"\n", "tp = 2\ncp = 2\npp = 2\n");
  INFO(keys);
  const Scenario scenario = gpt(keys);
  // The closed form charges the slowest stage two waits per micro-batch, and the last stage, which the head makes the
  // slowest, has one: in a network as small as this the difference shows.
  const double tolerance = scenario.strategies[0].hybrid.layout.pp > 1 ? 0.02 : 0.01;
  CHECK(step_of(simulated(scenario)) == Approx(predicted(scenario)).epsilon(tolerance));
}

TEST_CASE("in a large network closed form and simulation agree to half a per cent") {
  const Scenario scenario = parse_scenario(
      "[workload]\nnetwork = \"megatron-175b\"\nbatch = 256\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"megatron-2021\"\n[cluster]\nsystem = \"selene\"\nnodes = 32\n[[strategy]]\nname = \"h\"\n"
      "kind = \"hybrid\"\ntp = 8\npp = 8\ninterleave = 3\nrecompute = \"selective\"\nsequence_parallel = true\n",
      "lab.toml", shipped());
  CHECK(step_of(simulated(scenario)) == Approx(predicted(scenario)).epsilon(0.005));
}

TEST_CASE("one rank for all that do the same gives the step of all, to rounding") {
  const std::string keys =
      GENERATE(as<std::string>(), "tp = 4\npp = 2\n", "tp = 2\npp = 2\ninterleave = 2\n", "tp = 8\nzero_stage = 1\n");
  const Way folded = simulated(gpt(keys)), all = simulated(gpt(keys + "fold = \"never\"\n"));
  CHECK(folded.placement.size() < all.placement.size());
  CHECK(folded.devices_used() == 16);
  CHECK(all.devices_used() == 16);
  CHECK(folded.records.makespan.value() == Approx(all.records.makespan.value()).epsilon(1e-6));
}

TEST_CASE("what a layout cannot be, or cannot hold, is infeasible with the nearest values") {
  const Way heads = simulate_way(gpt("tp = 16\npp = 1\ninterleave = 2\n"), 0, shipped(), {EngineKind::closed_form, {}});
  CHECK(heads.status == WayStatus::infeasible);
  CHECK(heads.error.find("interleave 2 needs a pipeline") != std::string::npos);
  Scenario large = gpt("microbatch = 1\n");
  large.strategies[0].cluster.description.device.memory = Bytes(1e9);
  const Way full = simulate_way(large, 0, shipped(), {EngineKind::closed_form, {}});
  CHECK(full.status == WayStatus::infeasible);
  CHECK_FALSE(full.fits);
  CHECK(full.memory_peak() > full.capacity);
}

TEST_CASE("a way of a layout comes back from its bytes") {
  const Way way = simulated(gpt("tp = 4\npp = 2\nzero_stage = 1\n"));
  REQUIRE(way.layout);
  CHECK(way.layout->step_time.low < way.layout->step_time.value);
  CHECK(way.layout->step_time.value < way.layout->step_time.high);
  const Way again = way_from_bytes(to_bytes(way));
  REQUIRE(again.layout);
  CHECK(again.layout->text == "tp4 pp2 dp2 b1 zero1");
  CHECK(again.layout->step_time == way.layout->step_time);
  CHECK(again.copies == way.copies);
  CHECK(again.link_copies == way.link_copies);
}

TEST_CASE("every byte that the closed form counts is on a wire or beside it") {
  const std::string keys = GENERATE(as<std::string>(), "", "zero_stage = 1\n", "zero_stage = 3\nmicrobatch = 2\n",
                                    "zero_stage = 3\nzero_group = 8\n", "tp = 4\n", "pp = 2\ninterleave = 2\ntp = 8\n");
  INFO(keys);
  const Way way = simulated(gpt(keys));
  double sent = way.layout->beside_node.value() + way.layout->beside_network.value();
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  CHECK(sent == Approx(way.layout->sent_per_device.value() * 16).epsilon(1e-6));
}

TEST_CASE("what crosses nodes is told apart by dimension and by group") {
  // Slices lie in a node, replicas apart; of the states' exchange a group of 8 crosses nodes for its shards alone.
  const Way slices = simulated(gpt("tp = 8\n"));
  CHECK(slices.layout->beside_node.value() > 0);
  CHECK(slices.layout->beside_network.value() == 0);
  const Way parts = simulated(gpt("tp = 4\ncp = 4\n"));
  CHECK(parts.layout->beside_node.value() > 0);
  CHECK(parts.layout->beside_network.value() > 0);
  const Way sharded = simulated(gpt("zero_stage = 3\nzero_group = 8\n"));
  CHECK(sharded.layout->beside_network.value() > 0);
  CHECK(sharded.layout->beside_node.value() > 10 * sharded.layout->beside_network.value());
}

TEST_CASE("a slow device slows its replica's stage, a slow loader everything") {
  const double even = step_of(simulated(gpt("tp = 4\npp = 2\n")));
  CHECK(step_of(simulated(gpt("tp = 4\npp = 2\nstraggler = { rank = 5, factor = 1.5 }\n"))) > 1.15 * even);
  const double slow = 32 / 8.0;  // samples of a replica / samples per second
  CHECK(simulated(gpt("tp = 4\npp = 2\ninput = { samples_per_s = 8 }\n")).records.makespan.value() ==
        Approx(slow).epsilon(0.1));
}

}  // namespace orrery
