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
  Computing computing(plan);
  for (int step = 0; step < micro_steps; ++step) {
    computing.add(rank, Phase::forward, work.all(), work.of(Pass::forward, work.all()), step);
    computing.add_again(rank, work.again(work.met_first_in(work.all())), step);
    computing.add(rank, Phase::backward, work.all(), work.of(Pass::backward, work.all()), step);
  }
  computing.add(rank, Phase::optimizer, work.all(), work.update());
  plan.microbatches = micro_steps;
  plan.memory = whole_memory(job, samples);
  plan.notes = {fmt::format("step = {} x (forward + backward of {} samples) + optimizer", micro_steps, samples)};
  note_recompute(job, plan);
  return plan;
}

}  // namespace orrery
