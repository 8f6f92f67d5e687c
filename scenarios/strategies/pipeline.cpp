// Pipeline parallelism: each device holds a run of whole layers; the batch is cut into micro-batches that follow each
// other through them.
#include <fmt/format.h>

#include "scenarios/strategies/stage_plan.hpp"

namespace orrery {

Plan plan_pipeline(const Job& job) {
  const StrategySpec& strategy = job.strategy;
  const int stages = strategy.devices, microbatches = strategy.microbatches;
  Plan plan = plan_stages(job, stage_order(strategy));
  plan.notes.push_back(
      fmt::format("bubble of the ideal pipeline (equal stages, free transfers): (p - 1) / (m + p - 1) = {} / {} (Huang "
                  "et al. 2019)",
                  stages - 1, microbatches + stages - 1));
  plan.notes.push_back(strategy.schedule == PipelineSchedule::gpipe
                           ? fmt::format("gpipe: each stage keeps the activations of {} micro-batches", microbatches)
                           : "1f1b: stage s keeps the activations of min(p - s, m) micro-batches");
  return plan;
}

}  // namespace orrery
