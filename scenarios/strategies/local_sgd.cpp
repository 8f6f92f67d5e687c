// Local SGD (Stich 2019; Zinkevich et al. 2010 with one average at the end): every device makes H optimizer steps on
// its own part of the data, then all average their weights.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/training/federated/federated_training.hpp"
#include "scenarios/strategies/building.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// What a device of a federation sends: parameters and running statistics in fp32, as the optimizer keeps them.
Bytes averaged_weights(const Job& job) {
  return update_bytes(job.scenario.workload.network, FederatedTrainingOptions{}).up;
}

/// Returns the last operation.
OpId add_local_steps(Computing& computing, RankId rank, const LayerWork& work, int steps) {
  const Span all = work.all();
  const Work again = work.again(work.met_first_in(all));
  OpId last;
  for (int step = 0; step < steps; ++step) {
    computing.add(rank, Phase::forward, all, work.of(Pass::forward, all), step);
    computing.add_again(rank, again, step);
    computing.add(rank, Phase::backward, all, work.of(Pass::backward, all), step);
    last = computing.add(rank, Phase::optimizer, all, work.update(), step);
  }
  return last;
}

/// Not valid when there is nobody to average with.
CollectiveId add_average(Program& program, Algorithm algorithm, Bytes weights) {
  if (program.ranks() == 1) return {};
  std::vector<RankId> members;
  for (std::size_t rank = 0; rank < program.ranks(); ++rank) members.emplace_back(rank);
  const GroupId group = program.add_group(std::move(members));
  return program.add_collective({CollectiveKind::all_reduce, algorithm, group, weights, 0});
}

std::string rounded_note(const Job& job) {
  const std::int64_t asked = job.scenario.workload.steps, local = job.strategy.federated.local_steps;
  const std::int64_t averages = (asked + local - 1) / local;
  return fmt::format("{} steps are {} averages of {}: {} steps in all", asked, averages, local, averages * local);
}

std::vector<std::string> notes_on(const Job& job, double samples, Bytes weights) {
  const int workers = job.strategy.devices;
  const auto steps = job.strategy.federated.local_steps;
  return {fmt::format("outer step = {0} x (forward + backward of {1} samples + optimizer) on each of {2} devices, then "
                      "an all-reduce of {3} bytes of weights: {0} times fewer exchanges than data parallelism",
                      steps, number_text(samples), workers, number_text(weights.value())),
          rounded_note(job),
          "learns by itself: w = mean over devices of the weights after their local steps; momentum and the like start "
          "anew after every average"};
}

}  // namespace

Plan plan_local_sgd(const Job& job) {
  const int workers = job.strategy.devices;
  const int steps = static_cast<int>(job.strategy.federated.local_steps);
  const double samples = divide_batch(job, workers, fmt::format("{} devices", workers));
  Plan plan = start_plan(job, workers);
  const RankWork work(job, {samples});
  const Bytes weights = averaged_weights(job);
  const CollectiveId average = add_average(plan.program, job.strategy.collective, weights);
  Computing computing(plan);
  for (std::size_t index = 0; index < plan.program.ranks(); ++index) {
    const RankId rank(index);
    const OpId trained = add_local_steps(computing, rank, work.of(rank), steps);
    if (!average.valid()) continue;
    Op exchange = collective_op(rank, Dimension::dp, Phase::gradient_exchange, average);
    exchange.after = {trained};
    plan.program.add(std::move(exchange));
  }
  plan.optimizer_steps = steps;
  plan.samples *= steps;
  plan.model_flops *= static_cast<double>(steps);
  plan.degrees.dp = workers;
  plan.memory = whole_memory(job, samples);
  plan.fullest = smallest_of(job, plan.program.ranks());
  plan.notes = notes_on(job, samples, weights);
  add_stragglers(job, workers, steps, plan);
  note_recompute(job, plan);
  return plan;
}

}  // namespace orrery
