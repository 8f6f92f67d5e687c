// Data parallelism: every device holds the whole network and a part of the batch; gradients are added up over the
// devices before the optimizer step.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "scenarios/strategies/buckets.hpp"
#include "scenarios/strategies/building.hpp"
#include "sim/base/human.hpp"

namespace orrery {
namespace {

class DataParallelStep {
 public:
  DataParallelStep(const Job& job, Plan& plan, double samples)
      : job_(job),
        plan_(plan),
        computing_(plan),
        work_(job, {samples, job.strategy.accumulation}),
        buckets_(gradient_buckets(job.scenario.workload.network, job.strategy.bucket, bytes_sent_per_gradient(job))) {
    std::vector<RankId> members;
    for (std::size_t rank = 0; rank < plan.program.ranks(); ++rank) members.emplace_back(rank);
    const int last = static_cast<int>(members.size()) - 1;
    const GroupId group = plan.program.add_group(std::move(members));
    for (const Bucket& bucket : buckets_) {
      const Collective sum{CollectiveKind::all_reduce, job.strategy.collective, group, bucket.bytes,
                           serves() ? last : 0};
      exchanges_.push_back(bucket.bytes.value() > 0 ? plan.program.add_collective(sum) : CollectiveId());
    }
  }

  [[nodiscard]] bool serves() const { return job_.strategy.collective == Algorithm::parameter_server; }
  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }

  /// Adding up a bucket's gradients of N replicas on the server: N read, one sum written, at its memory's speed. None
  /// on a device whose memory bandwidth is unknown, as everywhere in the cost model.
  [[nodiscard]] Seconds adding_up(Bytes gradients) const {
    const RankId server(plan_.program.ranks() - 1);
    const BytesPerSecond bandwidth = device_of(job_, server).memory_bandwidth;
    if (bandwidth.value() <= 0.0) return Seconds();
    return gradients * (job_.strategy.devices + 1.0) / (bandwidth * job_.cost.framework().memory_efficiency.value);
  }

  void write() {
    const std::vector<OpId> sums = serves() ? serve(RankId(plan_.program.ranks() - 1)) : std::vector<OpId>();
    for (int replica = 0; replica < job_.strategy.devices; ++replica) {
      write_replica(RankId(static_cast<std::size_t>(replica)), sums);
    }
  }

 private:
  void write_replica(RankId rank, const std::vector<OpId>& sums) {
    const LayerWork& work = work_.of(rank);
    const Work forward = work.of(Pass::forward, work.all()), backward = work.of(Pass::backward, work.all());
    const int last = job_.strategy.accumulation - 1;
    for (int step = 0; step <= last; ++step) {
      computing_.add(rank, Phase::forward, work.all(), forward, step);
      if (step == last) continue;
      computing_.add_again(rank, again_in(rank, work.all()), step);
      computing_.add(rank, Phase::backward, work.all(), backward, step);
    }
    std::vector<OpId> exchanged =
        job_.strategy.overlap ? overlapped_backward(rank, last) : backward_then_exchange(rank, last);
    exchanged.insert(exchanged.end(), sums.begin(), sums.end());
    computing_.add(rank, Phase::optimizer, work.all(), work.update(), -1, std::move(exchanged));
  }

  [[nodiscard]] Work again_in(RankId rank, Span layers) const {
    const LayerWork& work = work_.of(rank);
    return work.again(work.met_first_in(layers));
  }

  std::vector<OpId> overlapped_backward(RankId rank, int step) {
    std::vector<OpId> exchanges;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      const Work backward = work_.of(rank).of(Pass::backward, buckets_[i].layers);
      computing_.add_again(rank, again_in(rank, buckets_[i].layers), step);
      const OpId ready = computing_.add(rank, Phase::backward, buckets_[i].layers, backward, step);
      exchange(rank, i, ready, exchanges);
    }
    return exchanges;
  }

  std::vector<OpId> backward_then_exchange(RankId rank, int step) {
    const Span all = work_.of(rank).all();
    const Work backward = work_.of(rank).of(Pass::backward, all);
    computing_.add_again(rank, again_in(rank, all), step);
    const OpId ready = computing_.add(rank, Phase::backward, all, backward, step);
    std::vector<OpId> exchanges;
    for (std::size_t i = 0; i < buckets_.size(); ++i) exchange(rank, i, ready, exchanges);
    return exchanges;
  }

  void exchange(RankId rank, std::size_t bucket, OpId ready, std::vector<OpId>& exchanges) {
    if (!exchanges_[bucket].valid()) return;
    Op op = exchange_op(rank, bucket);
    op.after = {ready};
    exchanges.push_back(plan_.program.add(std::move(op)));
  }

  Op exchange_op(RankId rank, std::size_t bucket) const {
    const Span layers = buckets_[bucket].layers;
    return collective_op(rank, Dimension::dp, Phase::gradient_exchange, exchanges_[bucket],
                         layers.size() == 1 ? LayerId(layers.first) : LayerId());
  }

  /// The server's part. A push-and-pull is one collective, so the sum that belongs in its middle comes after it.
  std::vector<OpId> serve(RankId rank) {
    std::vector<OpId> sums;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (!exchanges_[i].valid()) continue;
      const OpId exchanged = plan_.program.add(exchange_op(rank, i));
      const Work sum{adding_up(buckets_[i].bytes), Flops{}};
      sums.push_back(computing_.add(rank, Phase::aggregate, buckets_[i].layers, sum, -1, {exchanged}));
    }
    return sums;
  }

  const Job& job_;
  Plan& plan_;
  Computing computing_;
  RankWork work_;
  std::vector<Bucket> buckets_;
  std::vector<CollectiveId> exchanges_;  // one per bucket; invalid where there is nothing to exchange
};

std::vector<std::string> notes_on(const Job& job, const DataParallelStep& step, double samples) {
  Bytes total;
  int exchanges = 0;
  for (const Bucket& bucket : step.buckets()) {
    total += bucket.bytes;
    exchanges += bucket.bytes.value() > 0 ? 1 : 0;
  }
  std::vector<std::string> notes = {fmt::format(
      "{} replicas of {} each per micro-step; {} bytes of gradients in {}, {}", job.strategy.devices,
      human_count(static_cast<std::uint64_t>(samples), "sample"), total.value(), human_count(exchanges, "bucket"),
      job.strategy.overlap ? "each exchanged as soon as backward has filled it"
                           : "exchanged after the whole backward pass")};
  if (step.serves()) {
    notes.emplace_back(
        "the parameter server has a device of its own and adds the gradients up; the optimizer runs on the replicas, "
        "each on the full sum");
    notes.push_back(fmt::format(
        "adding up = (N + 1) x gradient bytes / (memory bandwidth x efficiency) = {} on the server, bucket by "
        "bucket; "
        "it belongs between push and pull, but they are one collective: each sum follows its bucket's, and the "
        "optimizer waits for all of them",
        human(step.adding_up(total))));
  }
  if (job.strategy.accumulation > 1) {
    notes.push_back(fmt::format("{} micro-steps; only the last one exchanges gradients", job.strategy.accumulation));
  }
  return notes;
}

}  // namespace

Plan plan_data(const Job& job) {
  const int replicas = job.strategy.devices;
  if (replicas == 1) {
    Plan alone = plan_single(job);
    alone.notes.emplace_back("one replica: there is nothing to exchange");
    return alone;
  }
  const int servers = job.strategy.collective == Algorithm::parameter_server ? 1 : 0;
  const int micro_steps = job.strategy.accumulation;
  Plan plan = start_plan(job, replicas + servers);
  const double samples =
      divide_batch(job, replicas * micro_steps, fmt::format("{} replicas x {} micro-steps", replicas, micro_steps));
  DataParallelStep step(job, plan, samples);
  step.write();
  plan.degrees.dp = replicas;
  plan.microbatches = micro_steps;
  plan.memory = whole_memory(job, samples);
  plan.fullest = smallest_of(job, static_cast<std::size_t>(replicas));
  plan.notes = notes_on(job, step, samples);
  add_stragglers(job, replicas, 1, plan);
  note_recompute(job, plan);
  return plan;
}

}  // namespace orrery
