// The whole network on one device: forward, backward, and one optimizer step after `accumulation` micro-steps.
#include <fmt/format.h>

#include "scenarios/strategies/building.hpp"

namespace orrery {

Plan plan_single(const Job& job) {
  const int micro_steps = job.strategy.accumulation;
  const double samples = divide_batch(job, micro_steps, fmt::format("{} micro-steps", micro_steps));
  Plan plan = start_plan(job, 1);
  const LayerWork work(job, device_of(job, RankId(0)), {samples, micro_steps});
  const RankId rank(0);
  for (int step = 0; step < micro_steps; ++step) {
    plan.program.add(compute_op(rank, Phase::forward, work.all(), work.of(Pass::forward, work.all()), step));
    add_recompute(plan.program, rank, work.again(work.met_first_in(work.all())), step);
    plan.program.add(compute_op(rank, Phase::backward, work.all(), work.of(Pass::backward, work.all()), step));
  }
  plan.program.add(compute_op(rank, Phase::optimizer, work.all(), work.of(Pass::optimizer, work.all())));
  plan.microbatches = micro_steps;
  plan.memory = whole_memory(job, samples);
  plan.notes = {fmt::format("step = {} x (forward + backward of {} samples) + optimizer", micro_steps, samples)};
  note_recompute(job, plan);
  return plan;
}

}  // namespace orrery
