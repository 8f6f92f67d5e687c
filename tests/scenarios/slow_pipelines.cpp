// Pipelines whose messages take as long as their work: closed form and flow engine.
#include <string>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "scenarios/way.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

struct SlowPipeline {
  std::string layout, cluster = "nics = 1\nnetwork_link = \"eth-25g\"\n";
};

Scenario gpt2(const SlowPipeline& pipeline, const std::string& framework) {
  return parse_scenario(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 128\nprecision = \"fp16\"\noptimizer = \"adam\"\nframework = \"" +
          framework + "\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 4\n" + pipeline.cluster +
          "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + pipeline.layout,
      "slow.toml", shipped_catalogue());
}

}  // namespace

TEST_CASE("pipelines with slow messages take in closed form what they do in the flow engine, to 1 %") {
  const auto pipeline = GENERATE(values<SlowPipeline>({
      {"pp = 4\n"},
      {"pp = 4\ninterleave = 2\n"},
      {"tp = 2\npp = 4\ninterleave = 3\n"},
      {"tp = 2\npp = 8\ninterleave = 3\n"},  // two stages in a node
      {"tp = 4\npp = 8\n"},
      {"tp = 8\npp = 4\nschedule = \"gpipe\"\n"},
      {"tp = 2\npp = 4\nschedule = \"zb-h1\"\n"},
      {"tp = 2\npp = 16\norder = [\"tp\", \"pp\", \"cp\", \"dp\"]\n"},  // four
      {"tp = 2\npp = 8\ninterleave = 3\n", "nics = 2\n"},
  }));
  for (const std::string framework : {"modern", "megatron-2021"}) {
    INFO(framework << "\n" << pipeline.cluster << pipeline.layout);
    const Scenario scenario = gpt2(pipeline, framework);
    LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
    const StepPrediction step = judge.predict(scenario.strategies[0].hybrid.layout);
    const Way way = simulate_way(scenario, 0, shipped_catalogue(), {EngineKind::flow, {}});
    REQUIRE(way.status == WayStatus::ok);
    const double flow = way.records.makespan.value() * (1 + way.straggler_share);
    CHECK(step.time().value() == Approx(flow).epsilon(0.01));
  }
}

}  // namespace orrery
