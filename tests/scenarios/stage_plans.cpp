// Plans of `pipeline` and `model split = layers`.
#include <algorithm>
#include <string>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

/// `count` equal dense layers of 10 x 10 without bias, a loss that takes no time: 200 FLOPs forward each.
Scenario equal_layers(int count, std::int64_t batch) {
  Scenario scenario = scenario_of(two_layer_lab() + replicas);
  LayerGraph graph;
  graph.name = "equal";
  graph.input = {1, 1, 10};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    Layer layer;
    layer.id = LayerId(i);
    layer.name = "dense" + std::to_string(i);
    layer.in = layer.out = graph.input;
    layer.bias = false;
    if (i > 0) layer.input = LayerId(i - 1);
    graph.layers.push_back(layer);
  }
  scenario.workload.network = graph;
  scenario.workload.batch = batch;
  return scenario;
}

/// A pipeline of them, 24 samples a batch.
Scenario equal_pipeline(int layers, int stages, int microbatches) {
  Scenario scenario = equal_layers(layers, 24);
  StrategySpec& strategy = scenario.strategies[0];
  strategy.kind = StrategyKind::pipeline;
  strategy.devices = stages;
  strategy.microbatches = microbatches;
  return scenario;
}

/// The plan of the scenario's first strategy on a cluster whose transfers are free when `bandwidth` is infinite-ish.
struct Planned {
  Plan plan;
  Records records;
};
Planned plan_and_run(const Scenario& scenario, BytesPerSecond bandwidth, Seconds latency) {
  ClusterDescription description = scenario.strategies[0].cluster.description;
  description.network_link->down = description.network_link->up = bandwidth;
  description.network_link->latency = latency;
  const Cluster cluster = build_cluster(description);
  const CostModel cost = cost_model(scenario, scenario.strategies[0], small_catalogue());
  Plan plan = entry_of(scenario.strategies[0].kind).plan({scenario, scenario.strategies[0], cost, cluster});
  REQUIRE(check(plan.program) == std::vector<std::string>{});
  const auto kernel = make_closed_form_kernel(cluster.platform);
  Records records = run_program(plan.program, *kernel, plan.placement, {});
  return {std::move(plan), std::move(records)};
}

/// The notes on the stages of a strategy: how they were cut, then one per stage.
std::vector<std::string> stage_notes(const Scenario& scenario, const std::string& strategy,
                                     const Catalogue& catalogue) {
  const auto spec = std::find_if(scenario.strategies.begin(), scenario.strategies.end(),
                                 [&](const StrategySpec& candidate) { return candidate.name == strategy; });
  REQUIRE(spec != scenario.strategies.end());
  const CostModel cost = cost_model(scenario, *spec, catalogue);
  const Cluster cluster = build_cluster(spec->cluster.description);
  std::vector<std::string> notes = entry_of(spec->kind).plan({scenario, *spec, cost, cluster}).notes;
  const auto stages = static_cast<std::size_t>(spec->devices);
  REQUIRE(notes.size() > stages);
  notes.resize(1 + stages);
  return notes;
}

std::vector<std::string> shipped_notes(const std::string& file, const std::string& strategy) {
  const std::string path = data_directory() / "scenarios" / file;
  return stage_notes(read_scenario(path, {}, shipped_catalogue()), strategy, shipped_catalogue());
}

std::size_t notes_with(const std::vector<std::string>& notes, const std::string& part) {
  return static_cast<std::size_t>(std::count_if(
      notes.begin(), notes.end(), [&](const std::string& note) { return note.find(part) != std::string::npos; }));
}

constexpr BytesPerSecond free_transfer{1e30};
constexpr double layer_forward_s = 200 / 1e9;  // per sample

}  // namespace

TEST_CASE("with equal stages and free transfers the bubble is (p - 1) / (m + p - 1)") {
  const auto schedule = GENERATE(PipelineSchedule::gpipe, PipelineSchedule::one_f_one_b);
  for (const int stages : {1, 2, 4, 8}) {
    for (const int microbatches : {1, 2, 3, 8}) {
      Scenario scenario = equal_pipeline(8, stages, microbatches);
      scenario.strategies[0].schedule = schedule;
      const Planned planned = plan_and_run(scenario, free_transfer, Seconds());
      const double p = stages, m = microbatches;
      const double busy = 24 * 3 * layer_forward_s * (8 / p);
      const double step = planned.records.makespan.value();
      CHECK((step - busy) / step == Approx((p - 1) / (m + p - 1)).margin(1e-12));
      CHECK(planned.plan.degrees.pp == stages);
      CHECK(planned.plan.microbatches == microbatches);
    }
  }
}

TEST_CASE("layers on different devices take the time of one device and the messages") {
  Scenario scenario = equal_layers(8, 24);
  StrategySpec& strategy = scenario.strategies[0];
  strategy.kind = StrategyKind::model;
  strategy.split = Split::layers;
  strategy.devices = 4;
  strategy.accumulation = 3;
  const double compute = 24 * 3 * layer_forward_s * 8;
  CHECK(plan_and_run(scenario, free_transfer, Seconds()).records.makespan.value() == Approx(compute));
  // Per micro-step three cuts, there and back, each 8 samples x 10 numbers x 4 bytes, after 1 us.
  const double message = 1e-6 + 320 / 1e9;
  CHECK(plan_and_run(scenario, BytesPerSecond(1e9), Seconds(1e-6)).records.makespan.value() ==
        Approx(compute + 3 * 2 * 3 * message));
}

TEST_CASE("a pipeline sends each micro-batch over each cut, forward and backward") {
  const Scenario scenario = equal_pipeline(8, 4, 6);
  const Plan plan = plan_and_run(scenario, free_transfer, Seconds()).plan;
  double sent = 0;
  std::size_t sends = 0, computes = 0;
  for (const Op& op : plan.program.ops()) {
    if (const auto* send = std::get_if<Send>(&op.action)) {
      sent += send->bytes.value();
      ++sends;
    }
    computes += op.stream == Stream::compute ? 1 : 0;
  }
  CHECK(sends == 6 * 3 * 2);
  CHECK(sent == Approx(3 * 2 * 24 * 10 * 4));
  CHECK(computes == 4 * (2 * 6 + 1));  // each stage: m forward, m backward, one update
}

TEST_CASE("the fullest stage decides the memory: 1F1B keeps p micro-batches, GPipe m") {
  Scenario scenario = equal_pipeline(8, 4, 12);
  const auto activations = [&](PipelineSchedule schedule) {
    scenario.strategies[0].schedule = schedule;
    return plan_and_run(scenario, free_transfer, Seconds()).plan.memory.activations.value();
  };
  // Two layers per stage keep their inputs: 2 x 10 numbers of 4 bytes for each of the 2 samples of a micro-batch.
  CHECK(activations(PipelineSchedule::one_f_one_b) == 4 * 2 * 2 * 10 * 4);
  CHECK(activations(PipelineSchedule::gpipe) == 12 * 2 * 2 * 10 * 4);
}

TEST_CASE("more stages than layers are infeasible") {
  const Scenario scenario = equal_pipeline(3, 4, 4);
  try {
    plan_and_run(scenario, free_transfer, Seconds());
    FAIL("four stages of three layers were planned");
  } catch (const Infeasible& reason) {
    CHECK(std::string(reason.what()) == "4 stages, but equal has only 3 layers");
  }
}

TEST_CASE("tied weights on two stages add up their gradients") {
  Scenario scenario = scenario_of(
      "[workload]\nnetwork = \"gpt2\"\nframework = \"ideal\"\ncompute = \"roofline\"\nprecision = \"bf16\"\nbatch = 8\n"
      "[cluster]\ndevice = \"gpu\"\nnodes = 4\nnetwork_link = \"net\"\n[[strategy]]\nname = \"a\"\n"
      "kind = \"pipeline\"\nmicrobatches = 8\n");
  const Plan plan = plan_and_run(scenario, free_transfer, Seconds()).plan;
  REQUIRE(plan.program.collectives().size() == 1);
  CHECK(plan.program.collectives()[0].bytes.value() == 2.0 * 50'257 * 768);
  CHECK(plan.program.group(GroupId(std::size_t{0})) ==
        std::vector<RankId>{RankId(std::size_t{0}), RankId(std::size_t{3})});
}

TEST_CASE("every network can be cut into stages, for every number of them") {
  for (const char* network : {"2nn", "lenet5", "resnet50", "bert-large"}) {
    for (const int devices : {2, 3, 7}) {
      const std::string text =
          std::string("[workload]\nnetwork = \"") + network +
          "\"\nbatch = 12\ncompute = \"roofline\"\n[cluster]\ndevice = \"gpu\"\nnodes = 7\nnetwork_link = \"net\"\n"
          "[[strategy]]\nname = \"a\"\nkind = \"pipeline\"\nmicrobatches = 6\ndevices = " +
          std::to_string(devices) + "\n[[strategy]]\nname = \"b\"\nkind = \"model\"\nsplit = \"layers\"\n" +
          "devices = " + std::to_string(devices) + "\n";
      const Lab lab(text);
      const Plan pipelined = lab.plan(0), in_turn = lab.plan(1);
      CHECK(lab.run(pipelined).makespan < lab.run(in_turn, EngineKind::closed_form, 1).makespan);
      CHECK(pipelined.model_flops == in_turn.model_flops);
    }
  }
}

TEST_CASE("the shipped 2NN is cut between its dense layers, and the plan says how the cuts were chosen") {
  for (const char* strategy : {"pipeline", "layers"}) {
    INFO(strategy);
    const std::vector<std::string> notes = shipped_notes("quickstart.toml", strategy);
    CHECK(notes[0] ==
          "cuts: the fewest bytes across among those whose slowest stage takes at most 5 % longer than the shortest "
          "possible (assumed), then the evenest stages");
    CHECK(notes_with({notes[1]}, "stage 0: flatten to dense1, ") == 1);
    CHECK(notes_with({notes[2]}, " to dense2, ") == 1);
    CHECK(notes_with({notes[3]}, " to loss, ") == 1);
    // 200 numbers of 4 bytes for each sample: 8 in a micro-batch, 64 in the batch.
    const std::string bytes = std::string(strategy) == "pipeline" ? "6400" : "51200";
    CHECK(notes_with(notes, ", " + bytes + " bytes cross the cut before it") == 2);
  }
}

TEST_CASE("BERT-large is cut where one tensor crosses, not inside its blocks, where the shortcut comes too") {
  const std::vector<std::string> notes = shipped_notes("pipeline.toml", "1f1b-8");
  // A tensor of a micro-batch: 32 sequences x 512 tokens x 1024 numbers x 2 bytes.
  CHECK(notes_with(notes, ", 33554432 bytes cross the cut before it") == 7);
}

TEST_CASE("GPT-2 is never cut behind its head, whatever the number of stages") {
  for (const int stages : {4, 8, 16}) {
    INFO(stages);
    const Scenario scenario = parse_scenario(
        "[workload]\nnetwork = \"gpt2\"\nprecision = \"bf16\"\nbatch = 16\ncompute = \"roofline\"\n"
        "[cluster]\nsystem = \"dgx-a100\"\nnodes = 2\n[[strategy]]\nname = \"a\"\nkind = \"pipeline\"\n"
        "microbatches = 16\ndevices = " +
            std::to_string(stages) + "\n",
        "lab.toml", shipped_catalogue());
    const std::vector<std::string> notes = stage_notes(scenario, "a", shipped_catalogue());
    CHECK(notes_with(notes, ": loss to loss, ") == 0);
    CHECK(notes_with({notes.back()}, " to loss, ") == 1);
  }
}

}  // namespace orrery
