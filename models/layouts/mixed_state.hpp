// Layouts on nodes of several kinds: every kind is priced as if the whole cluster were of it, and these prices are put
// together by who stands where.
//
//   inside a stage of a replica (tp, cp)  each time of the slowest of its kinds: they meet in every layer
//   replica                               its stages and its own number of micro-batches (Balance)
//   step                                  the replica that is done last, then the exchange on the slowest wires of
//   those
//                                         who exchange, then the slowest optimizer
//
// A replica adds up the gradients of its own micro-batches, the exchange adds up those of all replicas, divided by the
// whole batch: whoever computed which sample, the step is the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/layouts/judge_state.hpp"
#include "models/layouts/replica_places.hpp"

namespace orrery {

struct LayoutJudge::MixedState {
 public:
  /// Contract: a cluster of several groups of nodes, with the laws of each.
  explicit MixedState(const TrainingJob& job);
  StepPrediction predict(const Layout& layout);
  LayoutMemory memory(const Layout& layout);
  LayoutPrices prices(const Layout& layout);

 private:
  /// Replicas that stand on the same kinds.
  struct Replicas {
    std::vector<NodeKinds> kinds;  // by stage
    std::vector<StageWork> chunks, stages;
    std::vector<PipelineHop> hops;  // between the stages
    std::int64_t microbatches = 0;  // of all of them
    std::int64_t most = 0;          // of the one with most
    Seconds done;                   // its passes
  };
  struct Spread {
    State::ChunkPlan plan;
    ReplicaPlaces places;
    std::vector<Replicas> alike;             // by kind of replica
    std::vector<std::int64_t> microbatches;  // by replica
    WholeExchange tied;
    std::size_t slowest = 0;  // of `alike`
    StepParts time;           // of its last replica
  };
  /// The exchange of one stage on the wires where it takes longest.
  struct Exchange {
    StateExchange states;
    std::size_t group = 0;
  };

  [[nodiscard]] Spread spread(const Layout& layout);
  /// With this plan; `layout` says how the batch is shared out.
  [[nodiscard]] Spread spread_of(const ReplicaPlaces& places, const State::ChunkPlan& plan, const Layout& layout);
  [[nodiscard]] StepPrediction step_of(const Spread& spread, const Layout& layout) const;
  [[nodiscard]] State::ChunkPlan plan_for(const ReplicaPlaces& places, const Layout& layout);
  [[nodiscard]] Replicas replicas_on(const std::vector<NodeKinds>& kinds, const State::ChunkPlan& plan,
                                     const Layout& layout);
  [[nodiscard]] StepParts time_of(const Replicas& replicas, const Layout& layout, std::int64_t count,
                                  Seconds tied) const;
  void share_out_batch(Spread& spread, const Layout& layout) const;
  void find_slowest(Spread& spread, const Layout& layout) const;
  [[nodiscard]] Exchange exchange_of(const Spread& spread, std::size_t stage, const Layout& layout) const;
  /// Of the exchange of a stage's states on these wires, what no replica's passes hide: after the last of them.
  [[nodiscard]] Seconds shown_by_last(const Spread& spread, std::size_t stage, std::size_t group,
                                      const Layout& layout) const;
  [[nodiscard]] OuterExchange outer_of(const Spread& spread, std::size_t stage, const Layout& layout) const;
  [[nodiscard]] UpdateTime optimizer_of(const Replicas& replicas, std::size_t stage, const Layout& layout) const;
  [[nodiscard]] LayoutMemory fullest(const Spread& spread, const Layout& layout) const;
  [[nodiscard]] std::string names_of(const NodeKinds& kinds) const;
  [[nodiscard]] std::string devices_of(const std::vector<NodeKinds>& stages) const;

  TrainingJob job_;
  std::vector<std::unique_ptr<State>> kinds_;  // by group of nodes
};

}  // namespace orrery
