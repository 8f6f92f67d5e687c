// What every strategy needs to make a Plan: its frame, checks of the split, and operations in one line.
#pragma once

#include <string>

#include "scenarios/plan.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// A plan with rank r on device r, samples and model FLOPs of the whole step. Throws Infeasible when the cluster has
/// fewer devices than ranks.
Plan start_plan(const Job& job, int ranks);

/// Samples that one of `parts` equal parts of the global batch has. Throws Infeasible when they are not whole; `what`
/// names the parts ("8 replicas x 2 micro-steps").
double divide_batch(const Job& job, int parts, const std::string& what);

/// The device of a rank of start_plan()'s.
const Device& device_of(const Job& job, RankId rank);
/// The rank of the first `ranks` whose device has the least memory: where all hold the same, it is the fullest.
RankId smallest_of(const Job& job, std::size_t ranks);

/// Passes of so many samples each, as the strategy keeps them: where operators price it, as the framework of `cost`
/// does, which must outlive it.
InFlight in_flight(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost, double samples,
                   double passes = 1);
/// Memory of a device that holds every layer and keeps the activations of `samples` samples.
MemoryEstimate whole_memory(const Job& job, double samples);
/// Memory of a device that holds shares of the layers, in the strategy's precision.
MemoryEstimate memory_of(const Job& job, const std::vector<Share>& shares, double samples, double passes);

/// Takes into the plan how late the last of so many replicas is that meet once in so many steps, and notes it: by
/// chance, so that what several steps add evens out (independent steps: 1 / sqrt(steps)).
void add_stragglers(const Job& job, int replicas, std::int64_t steps, Plan& plan);
/// Adds what the notes say of recomputation; nothing when there is none.
void note_recompute(const Job& job, Plan& plan);

/// Bytes of one activation as sent: as it lies in memory (8-bit formats are formats of products only).
Bytes bytes_sent_per_number(const Job& job);
/// Of one gradient that replicas send: where operators price the way, as wide as the framework sends it.
Bytes bytes_sent_per_gradient(const Job& job);

/// Adds what ranks compute, one operation after the other, with the wait for its host behind each; keeps the plan's
/// share of gaps between kernels.
class Computing {
 public:
  /// The plan must outlive it, and nobody else set its gap_share.
  explicit Computing(Plan& plan) : plan_(plan), waits_(plan.program.ranks()) {}

  /// Over a run of layers; the operation names its layer when it is one layer only. `after`: what it waits for beside
  /// what its rank computed before. Returns what ends it.
  OpId add(RankId rank, Phase phase, Span layers, const Work& work, int microbatch = -1, std::vector<OpId> after = {});
  /// The forward passes that recomputation adds before a backward pass; invalid: there are none.
  OpId add_again(RankId rank, const Work& work, int microbatch, std::vector<OpId> after = {});

 private:
  Plan& plan_;
  std::vector<OpId> waits_;  // of each rank, for its host, behind its last operation; invalid: it does not wait
  Seconds busy_, gaps_;
};

Op collective_op(RankId rank, Dimension dimension, Phase phase, CollectiveId collective, LayerId layer = {},
                 int microbatch = -1);
/// The two ends of a message of pipeline neighbours.
Op send_op(RankId from, RankId to, Bytes bytes, Phase phase, int microbatch);
Op receive_op(RankId from, RankId to, Phase phase, int microbatch);

}  // namespace orrery
