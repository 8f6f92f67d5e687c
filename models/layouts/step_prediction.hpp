// One training step of a layout in closed form: where its time goes, what it needs, and how sure that is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/cost/memory.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

/// Parts that add up to the step (of the slowest device).
struct StepParts {
  Seconds compute, recompute, optimizer;
  Seconds gaps;        // between kernels: their launches (but for recomputation), and waiting for the host
  Seconds host_waits;  // contained in them: passes that wait for the host
  Seconds exposed_dp, exposed_tp, exposed_pp, exposed_cp, exposed_ep;  // communication that computing does not hide
  Seconds exposed_outer;                                               // between islands, on the mean of a step
  Seconds bubble, straggler;
  Seconds input;  // waiting for the loader
  [[nodiscard]] Seconds total() const;
  /// Of the time that a device is busy, passes that wait for the host left out, what is between kernels.
  [[nodiscard]] double gap_share() const;
};

/// Memory of the fullest device: on several kinds of devices the one that fills the largest part of its own.
struct LayoutMemory {
  MemoryEstimate states;  // weights, gradients, optimizer, activations in flight
  Bytes working;          // gradients of logits, or a block that is computed again; gathered weights
  Bytes reserve;          // the framework's own
  std::size_t group = 0;  // of nodes, whose device it is
  [[nodiscard]] Bytes peak() const { return states.peak() + working + reserve; }
};

struct StepPrediction {
  StepParts parts;
  LayoutMemory memory;
  Flops model_flops, hardware_flops;  // of the step, all devices; attention whole, and what kernels execute of it
  Seconds comm_dp;                    // of replicas, whole, hidden or not
  WireBytes exchanged_per_device;     // mean over the devices, without messages between stages
  Bytes sent_per_device;              // mean over the devices, with them
  int microbatches = 1;
  [[nodiscard]] Seconds time() const { return parts.total(); }
  [[nodiscard]] bool fits(const ClusterDescription& cluster) const {
    return memory.peak() <= cluster.group(memory.group).device.memory;
  }
};

/// An exchange that goes with every pass of one micro-batch.
struct PassExchange {
  Seconds exposed;
  WireBytes sent;  // by one rank, hidden or not
};

/// An exchange of which nothing hides.
struct WholeExchange {
  Seconds time;
  WireBytes sent;  // by one rank
};

/// What the ranks of one stage exchange between and in islands, on the mean of a step, one after the other.
struct OuterExchange {
  WholeExchange across;  // differences, summed with the likes in the other islands
  WholeExchange shards;  // then those of a shard, gathered from the groups of zero_group in the island that hold it
  WholeExchange states;  // then moved parameters from those that share states; without ZeRO differences from all
  [[nodiscard]] Seconds time() const { return across.time + shards.time + states.time; }
  [[nodiscard]] WireBytes sent() const;
};

/// Times of one micro-batch on one chunk of layers of one stage, and what it sends: what the closed forms and the
/// program of the flow engine are both made of.
struct ChunkPrice {
  Seconds forward, backward_input, backward_weights, recompute;  // computing alone
  Seconds tensor_forward, tensor_backward, tensor_recompute;     // exposed tensor-parallel communication
  Seconds context_forward, context_backward;                     // exposed context-parallel communication
  Seconds expert_forward, expert_backward;                       // exposed all-to-all
  Seconds late, late_back;                           // what the device then waits for its host in either pass
  Bytes boundary;                                    // activations that leave it, per tensor-parallel rank
  double returned = 1;                               // of these, the share whose gradients come back
  double parameters = 0;                             // of one rank that train, experts left out
  double expert_parameters = 0;                      // of one rank that train
  PassBytes tensor_sent, context_sent, expert_sent;  // by one rank, hidden or not

  /// Launches of kernels are in it.
  [[nodiscard]] Seconds computing() const { return forward + backward_input + backward_weights + recompute; }
  [[nodiscard]] Seconds exposed_forward() const { return tensor_forward + context_forward + expert_forward; }
  [[nodiscard]] Seconds exposed_backward() const { return tensor_backward + context_backward + expert_backward; }
  [[nodiscard]] Seconds forward_time() const { return forward + exposed_forward() + late; }
  /// Recomputation included.
  [[nodiscard]] Seconds backward_time() const {
    return recompute + tensor_recompute + backward_input + backward_weights + exposed_backward() + late_back;
  }
};

struct StagePrice {
  std::vector<ChunkPrice> chunks;  // interleave of them
  LibraryCost gradient_exchange;   // ZeRO-3: of one block
  Bytes summed_at_once;            // of its gradients, in every rank's buffer
  std::size_t exchange_group = 0;  // of nodes, on whose wires that takes so long
  OuterExchange outer;
  Seconds optimizer;
  std::string layers;   // "embedding, 12 x block"
  std::string devices;  // on nodes of several kinds: "v100-sxm2-32"; else empty
};

/// Replicas whose stages stand on the same kinds of devices.
struct ReplicaKind {
  std::vector<StagePrice> stages;
  std::vector<Seconds> transfers;  // as LayoutPrices has them
  std::string devices;  // "a100-sxm-80"; where stages differ: "a100-sxm-80 (2 stages), v100-sxm2-32 (2 stages)"
};

struct LayoutPrices {
  std::vector<StagePrice> stages;  // of the replicas that take longest
  /// On several kinds of devices: the kinds of replicas, which of them each replica is, and its micro-batches. Empty:
  /// all replicas are alike.
  std::vector<ReplicaKind> kinds;
  std::vector<std::size_t> kind_of_replica;
  std::vector<std::int64_t> microbatches_of_replica;
  /// Of one micro-batch from each stage to the next one, where chunks are interleaved from the last to the first, too.
  std::vector<Seconds> transfers;
  LibraryCost gradient_exchange;  // of the stage that takes longest; ZeRO-3: of one block
  Bytes summed_at_once;           // of that stage's gradients, in every rank's buffer
  Seconds gradient_exposed;  // of exchanging gradients and parameters (ZeRO 1 to 3), what is not hidden; of any stage
  Seconds exchange_exposed;  // contained in it: of gradient_exchange, or of what is exchanged with each micro-batch
  WholeExchange tied_exchange;  // tied embedding, first and last stage
  OuterExchange outer;          // of the stage that takes longest
  /// Without a pipeline: parameters gathered (ZeRO-3), gradients summed (ZeRO-2, 3) with each micro-batch, contained in
  /// gradient_exposed; else nothing.
  PassExchange states_forward, states_backward;
  WireBytes states_summed;  // with every backward pass, not in states_backward.sent: shards between groups (zero_group)

  /// 0 where all are alike.
  [[nodiscard]] std::size_t kind_of(int replica) const {
    return kinds.empty() ? 0 : kind_of_replica[static_cast<std::size_t>(replica)];
  }
  [[nodiscard]] const std::vector<StagePrice>& stages_of(int replica) const {
    return kinds.empty() ? stages : kinds[kind_of(replica)].stages;
  }
  /// `all_alike`: of each where they are.
  [[nodiscard]] int microbatches_of(int replica, int all_alike) const {
    if (microbatches_of_replica.empty()) return all_alike;
    return static_cast<int>(microbatches_of_replica[static_cast<std::size_t>(replica)]);
  }
};

/// One layer on a rank that has it: kernels alone, as the device runs them, without what the host adds, exchanges and
/// recomputation.
struct LayerPrice {
  Seconds forward, backward;  // of one micro-batch
  Seconds optimizer;          // of one step; in a pipeline of the last stage's copy of a tied embedding, too
  Bytes kept;                 // activations of one micro-batch, where nothing is recomputed
};

/// Judges layouts of one job. Prices of equal blocks are computed once and kept, so that a search over thousands of
/// layouts costs microseconds each. Not thread-safe: one per thread.
class LayoutJudge {
 public:
  struct State;       // judge_state.hpp
  struct MixedState;  // mixed_state.hpp

  explicit LayoutJudge(TrainingJob job);
  ~LayoutJudge();
  LayoutJudge(const LayoutJudge&) = delete;
  LayoutJudge& operator=(const LayoutJudge&) = delete;

  [[nodiscard]] const TrainingJob& job() const;
  /// Every constraint that the layout breaks but memory, each with the nearest feasible values; empty when it can run.
  [[nodiscard]] std::vector<std::string> obstacles(const Layout& layout) const;
  /// Contract: no obstacles. Memory is reported, not enforced.
  [[nodiscard]] StepPrediction predict(const Layout& layout);
  [[nodiscard]] LayoutMemory memory(const Layout& layout);
  [[nodiscard]] LayoutPrices prices(const Layout& layout);
  /// [layer of the network]; on several kinds of devices of the job's first.
  [[nodiscard]] std::vector<LayerPrice> layer_prices(const Layout& layout);
  /// "does not fit: activations 61 of 40 GiB"; empty when it fits.
  [[nodiscard]] std::string memory_obstacle(const LayoutMemory& memory) const;

 private:
  std::unique_ptr<State> state_;
  std::unique_ptr<MixedState> mixed_;  // of a cluster with several kinds of devices; nothing: one kind
};

/// One figure of a prediction with the range that the ranges of all constants give it: each constant is moved to its
/// low and to its high end, the deviations of either sign are added in squares, and `error`, a share of the figure by
/// which the model misses beyond them, is added in square too.
Ranged predicted_range(const TrainingJob& job, const Layout& layout,
                       const std::function<double(const StepPrediction&)>& figure, double error);
/// Of times of the job: model_error of its framework, of networks with experts expert_error where that is more.
double time_error(const TrainingJob& job);

}  // namespace orrery
