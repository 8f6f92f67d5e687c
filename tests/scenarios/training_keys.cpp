// What the keys of training become, and what learning makes of them.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "models/training/training.hpp"
#include "models/training/weights_file.hpp"
#include "scenarios/central_learning.hpp"
#include "scenarios/federated/learner.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

const std::string lab_keys =
    "[workload]\nnetwork = \"2nn\"\ndataset = \"synthetic\"\nlearn = true\nevaluate_every = 20\n"
    "batch = 20\n";

/// The curves of centralised learning, without a simulation before it.
std::vector<Way> learned(const Scenario& scenario) {
  std::vector<Way> ways;
  for (const StrategySpec& strategy : scenario.strategies) {
    ways.emplace_back();
    ways.back().strategy = strategy.name;
  }
  learn_centrally(scenario, ways, {});
  return ways;
}

double last_loss(const Way& way) {
  REQUIRE(way.error == "");
  REQUIRE_FALSE(way.curve.empty());
  return way.curve.back().loss;
}

}  // namespace

TEST_CASE("optimizer, schedule, clipping and recomputation arrive in their places") {
  const OptimizerOptions options = scenario_of(two_nn + R"(optimizer = "nesterov"
momentum = 0.8
weight_decay = 0.0005
clip_norm = 2
steps = 100
recompute = "none"
[workload.learning_rate_schedule]
kind = "step"
warm_up = 10
every = 30
factor = 0.5
)" + box + alone)
                                       .workload.optimizer;
  CHECK(options.kind == OptimizerKind::nesterov);
  CHECK(options.momentum == 0.8);
  CHECK(options.weight_decay == 0.0005);
  CHECK(options.clip_norm == 2);
  CHECK(options.schedule.kind == ScheduleKind::step);
  CHECK(options.schedule.warm_up == 10);
  CHECK(options.schedule.every == 30);
  CHECK(options.schedule.factor == 0.5);
}

TEST_CASE("decay and rate follow the optimizer where they are not given") {
  const auto options = [](const std::string& keys) {
    return scenario_of(two_nn + keys + box + alone).workload.optimizer;
  };
  CHECK(options("optimizer = \"adamw\"\n").weight_decay == 0.01);
  CHECK(options("optimizer = \"adamw\"\n").learning_rate == 0.001);
  CHECK(options("optimizer = \"lamb\"\n").weight_decay == 0.01);
  CHECK(options("optimizer = \"adam\"\n").weight_decay == 0);
  CHECK(options("optimizer = \"nesterov\"\n").learning_rate == 0.1);
}

TEST_CASE("a federated strategy takes the workload's optimizer, but not its schedule of steps") {
  const Scenario scenario = scenario_of(two_nn + R"(dataset_samples = 10
weight_decay = 0.1
steps = 50
learning_rate_schedule = { kind = "cosine", warm_up = 5 }
)" + two_clients + federated + R"(rounds = 4
[[strategy]]
name = "g"
kind = "federated"
rounds = 4
learning_rate_schedule = { kind = "step", every = 2 }
)");
  CHECK(scenario.strategies[0].optimizer.weight_decay == 0.1);
  CHECK(scenario.strategies[0].optimizer.schedule.kind == ScheduleKind::constant);
  CHECK(scenario.strategies[0].optimizer.schedule.warm_up == 0);
  CHECK(scenario.strategies[1].optimizer.schedule.kind == ScheduleKind::step);
}

TEST_CASE("frozen layers are marked in the network, and cost no optimizer step") {
  const LayerGraph network = scenario_of(two_nn + "freeze = [\"dense1\"]\n" + box + alone).workload.network;
  CHECK(trainable_parameters(network) == 200 * 200 + 200 + 200 * 10 + 10);
}

TEST_CASE("keys of training survive resolving") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "w.bin").string();
  const ExecutionPlan plan(load_network("2nn"));
  write_weights(file, plan, initial_weights(plan, 1));
  const Scenario first = scenario_of(lab_keys + R"(steps = 40
optimizer = "lamb"
clip_norm = 1
freeze = ["dense1", "dense2"]
learning_rate_schedule = { kind = "cosine", warm_up = 3, final_fraction = 0.1 }
initial_weights = ")" + file + R"("
fresh_layers = ["dense3"]
save_weights = "last.bin"
precision = "bf16"
)" + box + alone);
  const Scenario again = parse_scenario(resolved_toml(first), "elsewhere/resolved.toml", small_catalogue());
  CHECK(again.workload.optimizer.kind == OptimizerKind::lamb);
  CHECK(again.workload.optimizer.clip_norm == 1);
  CHECK(again.workload.optimizer.schedule.final_fraction == 0.1);
  CHECK(again.workload.freeze == std::vector<std::string>{"dense1", "dense2"});
  CHECK(again.workload.weights.initial == file);
  CHECK(again.workload.weights.fresh == std::vector<std::string>{"dense3"});
  CHECK(again.workload.weights.save == (std::filesystem::current_path() / "last.bin").string());
  CHECK(trainable_parameters(again.workload.network) == 200 * 10 + 10);
}

TEST_CASE("learning in bf16 is another run than in fp32, and comes close to it") {
  const Scenario scenario = scenario_of(lab_keys + "steps = 60\n" + box + alone +
                                        "[[strategy]]\nname = \"b\"\nkind = \"single\"\nprecision = \"bf16\"\n");
  const std::vector<Way> ways = learned(scenario);
  CHECK(last_loss(ways[0]) != last_loss(ways[1]));
  CHECK(last_loss(ways[1]) == Approx(last_loss(ways[0])).epsilon(0.05));
  CHECK(ways[0].curve.size() == 3);
}

TEST_CASE("a schedule, clipping and accumulation reach real learning") {
  const auto loss = [](const std::string& keys) {
    return last_loss(learned(scenario_of(lab_keys + "steps = 20\n" + keys + box + alone)).front());
  };
  const double plain = loss("");
  CHECK(loss("learning_rate_schedule = { kind = \"cosine\" }\n") != plain);
  CHECK(loss("clip_norm = 0.01\n") > plain);  // steps are far shorter
  CHECK(loss("learning_rate_schedule = { kind = \"step\", every = 1, factor = 1e-30 }\n") > plain);  // one step in all
  CHECK(loss("accumulation = 4\n") == Approx(plain).epsilon(1e-3));  // the same mathematics
  CHECK(loss("recompute = \"full\"\n") == plain);                    // the same bits
}

TEST_CASE("what one run saves another starts from: transfer learning with frozen layers") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "w.bin").string();
  const auto keys = [](const std::string& more) { return lab_keys + "steps = 60\n" + more + box + alone; };
  const Scenario first = scenario_of(keys("save_weights = \"" + file + "\"\n"));
  learned(first);
  const std::vector<float> saved = first_weights(scenario_of(keys("initial_weights = \"" + file + "\"\n")).workload, 1);
  const std::vector<float> drawn = first_weights(first.workload, 1);
  CHECK(saved != drawn);
  const std::string next = (folder.path() / "next.bin").string();
  const Scenario second = scenario_of(keys("initial_weights = \"" + file + "\"\nfresh_layers = [\"dense3\"]\n" +
                                           "freeze = [\"dense1\", \"dense2\"]\nsave_weights = \"" + next + "\"\n"));
  learned(second);
  const std::vector<float> last = first_weights(scenario_of(keys("initial_weights = \"" + next + "\"\n")).workload, 1);
  constexpr std::ptrdiff_t head = 784 * 200 + 200 + 200 * 200 + 200;
  CHECK(std::equal(last.begin(), last.begin() + head, saved.begin()));
  CHECK_FALSE(std::equal(last.begin() + head, last.end(), saved.begin() + head));
  CHECK_FALSE(std::equal(last.begin() + head, last.end(), drawn.begin() + head));
}

TEST_CASE(
    "clients learn with the optimizer, schedule and precision of their strategy, and their weights can be saved") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "w.bin").string();
  const auto loss = [&](const std::string& strategy) {
    const Scenario scenario = scenario_of(lab_keys + R"([federation]
clients = 20
device = "gpu"
link = "net"
)" + served + federated + "rounds = 2\n" + strategy);
    const auto learner = make_learner(scenario, scenario.strategies[0], 20, 1);
    for (const std::int64_t round : {0, 1}) {
      for (const std::size_t client : {0, 1}) learner->dispatch(client, 0, round, 1);
      learner->aggregate(0, std::vector<Report>{{0, 0}, {1, 0}});
    }
    learner->save(file);
    return learner->evaluate({0, 1}).test.loss;
  };
  const double plain = loss("");
  CHECK(loss("") == plain);
  CHECK(loss("optimizer = \"adamw\"\n") != plain);
  CHECK(loss("learning_rate_schedule = { kind = \"step\", every = 1, factor = 1e-30 }\n") > plain);
  CHECK(loss("precision = \"bf16\"\n") == Approx(plain).epsilon(0.05));
  const std::vector<float> weights = first_weights(
      scenario_of(lab_keys + "steps = 1\ninitial_weights = \"" + file + "\"\n" + box + alone).workload, 1);
  CHECK(weights.size() == 199210);
}

TEST_CASE("looking ahead changes no bit of what is learned, and augmented images are others") {
  const auto loss_with = [](const std::string& keys) {
    const Scenario scenario = scenario_of(lab_keys + "steps = 40\n" + keys + box + alone);
    return last_loss(learned(scenario).front());
  };
  const double plain = loss_with("");
  CHECK(loss_with("prefetch = true\n") == plain);
  CHECK(loss_with("augment_shift = 3\n") != plain);
  CHECK(loss_with("augment_flip = true\n") == loss_with("augment_flip = true\nprefetch = true\n"));
}

}  // namespace orrery
