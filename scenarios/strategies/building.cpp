#include "scenarios/strategies/building.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/cost/pass_bytes.hpp"

namespace orrery {

Plan start_plan(const Job& job, int ranks) {
  if (ranks > job.cluster.devices()) {
    throw Infeasible(fmt::format("needs {} devices, the cluster has {} ({})", ranks, job.cluster.devices(),
                                 job.cluster.description.text()));
  }
  Plan plan;
  plan.program = Program(static_cast<std::size_t>(ranks));
  for (std::size_t rank = 0; rank < plan.program.ranks(); ++rank) plan.placement.emplace_back(rank);
  plan.samples = static_cast<double>(job.scenario.workload.batch);
  plan.model_flops = training_flops(job.scenario.workload.network) * plan.samples;
  return plan;
}

double divide_batch(const Job& job, int parts, const std::string& what) {
  const std::int64_t batch = job.scenario.workload.batch;
  if (batch % parts != 0) {
    throw Infeasible(fmt::format("a batch of {} samples cannot be cut into {} equal parts ({})", batch, parts, what));
  }
  const std::int64_t part = batch / parts;  // whole: checked above
  return static_cast<double>(part);
}

InFlight in_flight(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost, double samples,
                   double passes) {
  InFlight kept{samples, passes, strategy.recompute};
  if (priced_by(scenario, strategy.kind) == ComputeChoice::operators) kept.software = &cost.framework();
  return kept;
}

MemoryEstimate memory_of(const Job& job, const std::vector<Share>& shares, double samples, double passes) {
  return estimate_memory(job.scenario.workload.network, shares,
                         in_flight(job.scenario, job.strategy, job.cost, samples, passes), job.strategy.precision,
                         job.scenario.workload.optimizer.kind);
}

const Device& device_of(const Job& job, RankId rank) {
  return job.cluster.device(DeviceId(rank.index()));
}

RankId smallest_of(const Job& job, std::size_t ranks) {
  RankId smallest(0);
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    if (device_of(job, RankId(rank)).memory < device_of(job, smallest).memory) smallest = RankId(rank);
  }
  return smallest;
}

MemoryEstimate whole_memory(const Job& job, double samples) {
  return memory_of(job, std::vector<Share>(job.scenario.workload.network.layers.size()), samples, 1);
}

void add_stragglers(const Job& job, int replicas, std::int64_t steps, Plan& plan) {
  const FrameworkProfile& framework = job.cost.framework();
  plan.straggler_share = straggler_share(framework, replicas) / std::sqrt(static_cast<double>(steps));
  plan.notes.push_back(fmt::format("stragglers add {} x log2({}){} of the step (framework {})",
                                   framework.straggler_per_doubling.value, replicas,
                                   steps > 1 ? fmt::format(" / sqrt({})", steps) : "", framework.id));
}

void note_recompute(const Job& job, Plan& plan) {
  if (job.strategy.recompute == Recompute::none) return;
  const std::size_t segments = recompute_segments(job.scenario.workload.network).size();
  plan.notes.push_back(
      fmt::format("recompute: {} segments keep their inputs only; backward runs the forward pass of each once more, "
                  "but of the last, whose activations are still there",
                  segments));
}

Bytes bytes_sent_per_number(const Job& job) {
  return bytes_in_memory(job.strategy.precision);
}

Bytes bytes_sent_per_gradient(const Job& job) {
  const bool by_operators = priced_by(job.scenario, job.strategy.kind) == ComputeChoice::operators;
  return by_operators ? Bytes(gradient_wire_bytes(job.cost.framework(), job.strategy.precision))
                      : bytes_sent_per_number(job);
}

OpId Computing::add(RankId rank, Phase phase, Span layers, const Work& work, int microbatch, std::vector<OpId> after) {
  Op op;
  op.rank = rank;
  op.phase = phase;
  if (layers.size() == 1) op.layer = LayerId(layers.first);
  op.microbatch = microbatch;
  op.after = std::move(after);
  OpId& wait = waits_[rank.index()];
  if (wait.valid()) op.after.push_back(std::exchange(wait, OpId()));
  Op host = op;
  op.action = Compute{work.time, work.flops};
  const OpId done = plan_.program.add(std::move(op));
  busy_ += work.time, gaps_ += work.gaps;
  plan_.gap_share = busy_ > Seconds() ? gaps_ / busy_ : 0.0;
  if (work.late <= Seconds()) return done;
  host.stream = Stream::host;
  host.action = Delay{work.late};
  host.after = {done};
  return wait = plan_.program.add(std::move(host));
}

OpId Computing::add_again(RankId rank, const Work& work, int microbatch, std::vector<OpId> after) {
  if (work.time.value() <= 0.0 && work.flops.value() <= 0.0) return {};
  return add(rank, Phase::recompute, {}, work, microbatch, std::move(after));
}

Op collective_op(RankId rank, Dimension dimension, Phase phase, CollectiveId collective, LayerId layer,
                 int microbatch) {
  Op op;
  op.rank = rank;
  op.stream = Stream::collective;
  op.dimension = dimension;
  op.phase = phase;
  op.layer = layer;
  op.microbatch = microbatch;
  op.action = CollectiveCall{collective};
  return op;
}

Op send_op(RankId from, RankId to, Bytes bytes, Phase phase, int microbatch) {
  Op op;
  op.rank = from;
  op.stream = Stream::send;
  op.dimension = Dimension::pp;
  op.phase = phase;
  op.microbatch = microbatch;
  op.action = Send{to, bytes, microbatch};
  return op;
}

Op receive_op(RankId from, RankId to, Phase phase, int microbatch) {
  Op op;
  op.rank = to;
  op.stream = Stream::receive;
  op.dimension = Dimension::pp;
  op.phase = phase;
  op.microbatch = microbatch;
  op.action = Receive{from, microbatch};
  return op;
}

}  // namespace orrery
