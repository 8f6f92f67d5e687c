#include "tests/scenarios/hybrid_lab.hpp"

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "tests/sim/engine/fresh_process.hpp"

namespace orrery {

Scenario shipped_lab(const std::string& text) {
  return parse_scenario(text, "lab.toml", shipped_catalogue());
}

Way tried(const Scenario& scenario, EngineKind engine) {
  return simulate_way(scenario, 0, shipped_catalogue(), {engine, {}});
}

Way simulated(const Scenario& scenario, EngineKind engine) {
  Way way = tried(scenario, engine);
  INFO(way.error);
  REQUIRE(way.status == WayStatus::ok);
  return way;
}

double step_of(const Way& way) {
  return way.records.makespan.value() * (1 + way.straggler_share);
}

double flow_step(const Scenario& scenario) {
  return test::in_fresh_process([&] {
    const Way way = tried(scenario, EngineKind::flow);
    return way.status == WayStatus::ok ? step_of(way) : -1.0;
  });
}

StepParts predicted_parts(const Scenario& scenario) {
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  return judge.predict(scenario.strategies[0].hybrid.layout).parts;
}

double predicted(const Scenario& scenario) {
  return predicted_parts(scenario).total().value();
}

}  // namespace orrery
