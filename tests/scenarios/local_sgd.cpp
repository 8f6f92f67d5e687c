// Local SGD: its plan by hand, and its learning.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "scenarios/central_learning.hpp"
#include "scenarios/planned_way.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/scenarios/small.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

// 2NN on the `gpu` of 1 GFLOP/s, as in data_parallel.cpp.
constexpr double forward_s = 2 * 198'800 / 1e9;
constexpr double weight_bytes = 4 * 199'210;

std::string local_sgd(const std::string& keys) {
  return "[[strategy]]\nname = \"l\"\nkind = \"local-sgd\"\n" + keys;
}

std::string learning(const std::string& keys) {
  return two_layer_lab("dataset = \"synthetic\"\nlearn = true\nbatch = 40\nlearning_rate = 0.05\n" + keys);
}

/// Learning alone, without a simulation before it: a step of one second for every way.
std::vector<Way> tried_to_learn(const Scenario& scenario, const std::vector<std::uint64_t>& seeds = {1}) {
  std::vector<Way> ways;
  for (const StrategySpec& strategy : scenario.strategies) {
    for (const std::uint64_t seed : seeds) {
      ways.emplace_back();
      ways.back().strategy = strategy.name;
      ways.back().seed = seed;
      ways.back().records.makespan = Seconds(1);
    }
  }
  learn_centrally(scenario, ways, {});
  return ways;
}

/// With its curves.
std::vector<Way> learned(const Scenario& scenario, const std::vector<std::uint64_t>& seeds = {1}) {
  std::vector<Way> ways = tried_to_learn(scenario, seeds);
  for (const Way& way : ways) REQUIRE(way.error == "");
  return ways;
}

}  // namespace

TEST_CASE("local SGD exchanges its weights once for all local steps") {
  const Lab lab(two_layer_lab("batch = 16") + local_sgd("devices = 4\nlocal_steps = 3\n") +
                "[[strategy]]\nname = \"d\"\nkind = \"data\"\ndevices = 4\noverlap = false\n");
  const Plan plan = lab.plan(0);
  CHECK(plan.program.ops().size() == 4 * (3 * 3 + 1));
  REQUIRE(plan.program.collectives().size() == 1);
  CHECK(plan.program.collectives()[0].bytes.value() == weight_bytes);
  CHECK(plan.samples == 3 * 16);
  CHECK(plan.optimizer_steps == 3);
  CHECK(plan.degrees.dp == 4);
  CHECK(plan.model_flops.value() == Approx(48 * 6.0 * 198'800));
  // Four samples on each device; the optimizer takes no time there. The exchange is that of data parallelism.
  const double step = 4 * 3 * forward_s;
  const double exchange = lab.run(lab.plan(1), EngineKind::closed_form, 1).makespan.value() - step;
  CHECK(exchange > weight_bytes / 1e9);
  CHECK(lab.run(plan).makespan.value() == Approx(3 * step + exchange));
}

TEST_CASE("local SGD on one device exchanges nothing") {
  const Lab lab(two_layer_lab("batch = 16") + local_sgd("devices = 1\nlocal_steps = 3\n"));
  const Plan plan = lab.plan();
  CHECK(plan.program.collectives().empty());
  CHECK(lab.run(plan).makespan.value() == Approx(3 * 16 * 3 * forward_s));
}

TEST_CASE("a way of local SGD counts averages: the workload's steps over the local ones, rounded up") {
  const Lab lab(two_layer_lab("batch = 16\nsteps = 10") + local_sgd("devices = 4\nlocal_steps = 4\n"));
  Way way;
  fill_from_plan(lab.scenario(), build_cluster(lab.scenario().strategies[0].cluster.description), lab.plan(), way);
  CHECK(way.steps == 3);
  CHECK(way.samples_per_step == 64);
}

TEST_CASE("local SGD learns by itself, average by average, on its own clock") {
  const Scenario scenario =
      scenario_of(learning("steps = 60\nevaluate_every = 16\n") + local_sgd("devices = 4\nlocal_steps = 8\n") +
                  "[[strategy]]\nname = \"s\"\nkind = \"single\"\n");
  const std::vector<Way> ways = learned(scenario);
  const Way& local = ways[0];
  CHECK(local.curve_source == CurveSource::own);
  CHECK(ways[1].curve_source == CurveSource::shared);
  CHECK(local.steps == 8);
  REQUIRE(local.curve.size() == 4);  // every second of eight averages
  CHECK(local.curve[0].round == 2);
  CHECK(local.curve[0].time == Seconds(2));
  CHECK(local.curve[0].epoch == Approx(2 * 8 * 40 / 6000.0));
  CHECK(local.curve.back().loss < local.curve.front().loss);
  CHECK(local.curve.back().accuracy > 0.5);
  CHECK(local.curve.back().loss != ways[1].curve.back().loss);
}

TEST_CASE("every seed learns by itself, and the same seed the same") {
  const Scenario scenario = scenario_of(learning("steps = 16\n") + local_sgd("devices = 2\nlocal_steps = 8\n") +
                                        "[[strategy]]\nname = \"s\"\nkind = \"single\"\n");
  const std::vector<Way> ways = learned(scenario, {1, 2});
  const std::vector<Way> again = learned(scenario, {2});
  CHECK(ways[0].curve.back().loss != ways[1].curve.back().loss);
  CHECK(ways[2].curve.back().loss != ways[3].curve.back().loss);
  CHECK(again[0].curve.back().loss == ways[1].curve.back().loss);
  CHECK(again[1].curve.back().loss == ways[3].curve.back().loss);
}

TEST_CASE("numbers of a data set that are no rows of a table are told, learning together or each device by itself") {
  Scenario scenario = scenario_of(learning("steps = 8\n") + local_sgd("devices = 4\nlocal_steps = 4\n") +
                                  "[[strategy]]\nname = \"s\"\nkind = \"single\"\n");
  scenario.workload.network = tables_of_pixels();
  const float first = load_data_set("synthetic", 1).train.inputs[0];
  for (const Way& way : tried_to_learn(scenario)) {
    CHECK(way.status == WayStatus::failed);
    CHECK(way.error ==
          fmt::format("scenario lab, strategy {}: learning: small: layer \"tables\": sample 0: number 0 is "
                      "{}, which is no row (its table has the rows 0 to 2)",
                      way.strategy, first));
  }
}

TEST_CASE("local SGD stops at its target, follows the workload's schedule and saves its weights") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "w.bin").string();
  const auto way = [&](const std::string& keys, const std::string& more) {
    return learned(scenario_of(learning(keys) + local_sgd("devices = 2\nlocal_steps = 4\n" + more)))[0];
  };
  const Way stopped =
      way("steps = 400\nevaluate_every = 4\ntarget_accuracy = 0.3\n", "save_weights = \"" + file + "\"\n");
  CHECK(stopped.target_reached);
  CHECK(stopped.steps < 100);
  const Way plain = way("steps = 16\n", "");
  const Way still = way("steps = 16\nlearning_rate_schedule = { kind = \"step\", every = 4, factor = 1e-30 }\n", "");
  CHECK(still.curve.back().loss > plain.curve.back().loss);  // one average in all
  const Scenario next = scenario_of(learning("steps = 1\ninitial_weights = \"" + file + "\"\n") +
                                    "[[strategy]]\nname = \"s\"\nkind = \"single\"\n");
  CHECK(learned(next)[0].curve.back().accuracy > 0.25);
}

}  // namespace orrery
