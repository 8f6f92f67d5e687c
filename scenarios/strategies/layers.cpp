// Model parallelism by layers: each device holds a run of whole layers and, but for the updates, only one is at work at
// a time. The textbook case that pipelining mends.
#include "scenarios/strategies/stage_plan.hpp"

namespace orrery {

Plan plan_layers(const Job& job) {
  Plan plan = plan_stages(job, stage_order(job.strategy));
  plan.notes.emplace_back(
      "one device at a time works forward or backward: these passes and the messages between them add up; a stage "
      "updates its weights after its last backward pass, beside the backward passes of the stages before it");
  return plan;
}

}  // namespace orrery
