// What a LayoutJudge keeps: prices of blocks, and how they add up to stages.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/layouts/block_price.hpp"
#include "models/layouts/group_place.hpp"
#include "models/layouts/kept_again.hpp"
#include "models/layouts/pipeline_replay.hpp"
#include "models/layouts/step_prediction.hpp"

namespace orrery {

/// Sum of one micro-batch's work on the blocks of one chunk or stage.
struct StageWork {
  Seconds forward, backward_input, backward_weights, recompute;  // computing
  /// What the device waits for its host in either pass, exchanges that show taken into account.
  Seconds late, late_back;
  Seconds gaps;  // contained in computing but for recomputation: launches
  Seconds lead;  // by which the host is ahead of the device after both passes
  Seconds tensor_forward, tensor_backward, tensor_recompute;  // exposed
  Seconds context_forward, context_backward, context_recompute;
  Seconds expert_forward, expert_backward, expert_recompute;
  /// Beside computing; backward with recomputation.
  Seconds tensor_hidden, tensor_hidden_backward, expert_hidden, expert_hidden_backward;
  double parameters = 0, expert_parameters = 0;                // that train
  double frozen_parameters = 0, frozen_expert_parameters = 0;  // that do not
  double forward_parameters = 0;                               // of the frozen ones, those that no backward pass needs
  double weight_tensors = 0, expert_weight_tensors = 0;        // of one rank, that train
  double boundary_numbers = 0;
  double returned = 1;  // of these, the share whose gradients come back
  PassBytes tensor_sent, context_sent, expert_sent;
  Bytes activations;                  // of one micro-batch, as the layout keeps them
  Bytes largest_block;                // kept by the largest block without recomputation
  Bytes loss_block, logit_gradients;  // kept by the block with the loss, and what its gradient takes beside that
  double largest_parameters = 0;
  std::size_t blocks = 0;

  [[nodiscard]] Seconds forward_time() const {
    return forward + tensor_forward + context_forward + expert_forward + late;
  }
  /// Recomputation included.
  [[nodiscard]] Seconds backward_time() const {
    return recompute + tensor_recompute + context_recompute + expert_recompute + backward_input + backward_weights +
           tensor_backward + context_backward + expert_backward + late_back;
  }
  StageWork& operator+=(const StageWork& other);
};

/// Gradients of weights that a stage is not at before it sends on those of its inputs.
Seconds weights_apart(const StageWork& stage, PipelineSchedule schedule);

/// Operators that the host starts in one micro-batch's passes.
struct HostKernels {
  double forward = 0, backward = 0, again = 0;  // again: the forward ones that recomputation runs in backward
  double experts = 0, experts_back = 0, experts_again = 0;  // that it routes tokens to
  [[nodiscard]] Seconds forward_time(const FrameworkProfile& framework) const;
  [[nodiscard]] Seconds backward_time(const FrameworkProfile& framework) const;
};

/// What the host takes for a pass whose calls take it `calls`: with its half of the micro-batch, but nothing where
/// there is no pass (no backward one of blocks below which nothing trains).
Seconds host_pass(Seconds device, Seconds calls, const FrameworkProfile& framework);

/// An optimizer's update: on the device, and what the device waits for the host beside that.
struct UpdateTime {
  Seconds working, waiting;
  [[nodiscard]] Seconds total() const { return working + waiting; }
};

const UpdateTime& longer(const UpdateTime& one, const UpdateTime& other);

/// Of one micro-batch through a run of blocks: on the device, and on the host that starts its operators. Sums over the
/// blocks; a pass takes the longer of the two.
struct PassTimes {
  Seconds forward, backward, host_forward, host_backward;
  PassTimes& operator+=(const PassTimes& other);
};

/// What exchanges of one stage's states take, each done once.
struct StatesMoved {
  WholeExchange gradients, parameters;  // summed; gathered (ZeRO)
  double gathered_again = 1;            // share of the parameters that backward passes need, too
  WholeExchange sums;                   // of zero_group's shards between groups
  LibraryCost cost;                     // of the gradients but of experts; by block: of one
  Bytes summed_at_once;                 // of them, in every rank's buffer
};

/// Exchange of gradients and parameters of one stage, in one step.
struct StateExchange {
  Seconds gradients, parameters;  // whole
  Seconds exposed;
  Seconds exchange_exposed;  // contained in it: of `cost`, or of the exchanges with every micro-batch
  WireBytes sent;
  LibraryCost cost;                // of the gradients
  Bytes summed_at_once;            // of them, in every rank's buffer
  PassExchange forward, backward;  // of every micro-batch: ZeRO-3 block by block, ZeRO-2 backward; contained in what
                                   // stands above
  WireBytes summed;                // with every backward, beside its own: sums of zero_group's shards between groups
};

/// Takes the exchange of one stage's states into the prices of the step.
void add_exchange(LayoutPrices& prices, const StateExchange& exchange, const Layout& layout);

/// On devices and wires of one kind: those of the job's first group of nodes.
struct LayoutJudge::State {
 public:
  explicit State(TrainingJob job);
  [[nodiscard]] const TrainingJob& job() const { return job_; }
  [[nodiscard]] const BlockSequence& sequence() const { return sequence_; }
  StepPrediction predict(const Layout& layout);
  LayoutMemory memory(const Layout& layout);
  LayoutPrices prices(const Layout& layout);
  std::vector<LayerPrice> layer_prices(const Layout& layout);

  /// Blocks of each class in each chunk, [chunk * classes + class], the class of each chunk's last block, and the first
  /// block of each chunk, with one behind the last.
  struct ChunkPlan {
    std::vector<std::uint32_t> counts;
    std::vector<std::size_t> last, starts;
  };
  const ChunkPlan& plan_for(const Layout& layout);
  /// `starts` as deal_blocks() returns them.
  [[nodiscard]] ChunkPlan plan_of(const std::vector<std::size_t>& starts) const;
  [[nodiscard]] std::vector<StageWork> chunks_of(const ChunkPlan& plan, const Layout& layout);
  /// The chunks of each stage added up.
  [[nodiscard]] static std::vector<StageWork> stages_of(const std::vector<StageWork>& chunks, const Layout& layout);
  /// Of the first i blocks, [i].
  [[nodiscard]] std::vector<PassTimes> times_of_runs(const Layout& layout);
  /// What a stage of the blocks between two of these is busy with a micro-batch, as chunks_of() has it.
  [[nodiscard]] Seconds time_of_run(const PassTimes& before, const PassTimes& until) const;
  /// "embedding, 12 x block": what stands on a stage.
  [[nodiscard]] std::string layers_of(int stage, const ChunkPlan& plan, const Layout& layout) const;

  [[nodiscard]] StateExchange exchange_states(const StageWork& stage, const Layout& layout) const;
  [[nodiscard]] OuterExchange exchange_between_islands(const StageWork& stage, const Layout& layout) const;
  /// With the update between islands, on the mean of a step. Where each operation on each weight tensor is a kernel
  /// (host_update_us), the device launches them all; the host is late by as much as it is not ahead of the device.
  [[nodiscard]] UpdateTime optimizer_time(const StageWork& stage, const Layout& layout) const;
  /// Of one micro-batch, as hops_of_own_ports() has them: each as long as the wires between its two stages take it, on
  /// the ports that they really have. Of several chunks of a stage the one that sends most counts.
  [[nodiscard]] std::vector<PipelineHop> hops_between_stages(const std::vector<StageWork>& chunks,
                                                             const Layout& layout) const;
  [[nodiscard]] Bytes longest_message(const std::vector<StageWork>& chunks, std::size_t stage,
                                      const Layout& layout) const;
  void put_on_nics(std::vector<PipelineHop>& hops, const std::vector<Bytes>& messages, const Layout& layout) const;
  [[nodiscard]] WholeExchange tied_exchange(const Layout& layout) const;
  /// What the stages' updates add to the step: each begins when its stage's last pass is done, those of the ends, which
  /// meet for a tied embedding, with the last of all.
  [[nodiscard]] UpdateTime update_of_step(const std::vector<StageWork>& chunks, const std::vector<StageWork>& stages,
                                          const std::vector<PipelineHop>& hops, const Layout& layout) const;
  /// `count` micro-batches of one replica through its stages, by parts.
  [[nodiscard]] StepParts time_of_replica(const std::vector<StageWork>& chunks, const std::vector<StageWork>& stages,
                                          const Layout& layout, double count, const std::vector<PipelineHop>& hops,
                                          Seconds tied);
  /// What `count` micro-batches on a stage, the exchange of its states, messages between stages send: on the mean over
  /// all stages.
  void add_sent(StepPrediction& step, const StageWork& stage, double count, const Layout& layout) const;
  void add_exchanged(StepPrediction& step, const WireBytes& sent, const Layout& layout) const;
  /// All that a device sends, once every exchange has been added.
  void set_sent(StepPrediction& step, const std::vector<StageWork>& chunks, double count, const Layout& layout) const;
  /// What late replicas cost; after all other parts.
  void add_stragglers(StepParts& parts, const Layout& layout);
  /// What a replica waits for its loader; after all other parts.
  void add_input(StepParts& parts, const std::vector<StageWork>& chunks, const std::vector<PipelineHop>& hops,
                 double count, const Layout& layout);
  void set_flops(StepPrediction& step, const Layout& layout) const;
  /// Without optimizer and layers.
  [[nodiscard]] StagePrice price_of_stage(const std::vector<StageWork>& chunks, std::size_t stage,
                                          const Layout& layout) const;
  /// With `count` micro-batches in the step.
  [[nodiscard]] LayoutMemory stage_memory(const std::vector<StageWork>& chunks, const std::vector<StageWork>& stages,
                                          int stage, double count, const Layout& layout) const;

 private:
  /// By which share of its computing the last replica is late: by chance, and by the tokens that it has, of which those
  /// of several micro-batches even out where replicas do not meet with each of them.
  [[nodiscard]] double lateness(const Layout& layout);
  /// What a price depends on beside the job: a class of blocks (or a number of chunks) and the layout's part in it; the
  /// last is for plans alone.
  using PriceKey = std::array<std::int64_t, 15>;
  struct PriceKeyHash {
    std::size_t operator()(const PriceKey& key) const {
      std::uint64_t hash = 0;
      for (const std::int64_t part : key) {
        hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 29;
      }
      return hash;
    }
  };
  [[nodiscard]] PriceKey key_of(std::int64_t first, const Layout& layout) const;
  [[nodiscard]] int devices_at_once(const Layout& layout) const;  // of a node
  [[nodiscard]] const Paths& paths_for(const Layout& layout) const;
  const BlockPrice& price_of(std::size_t klass, const Layout& layout);
  const ChunkPlan& uneven_plan_for(const Layout& layout);
  const TensorSplit& split_for(int tp);
  [[nodiscard]] StageWork work_of(const std::uint32_t* counts, std::size_t last, const Layout& layout);
  /// Adds the operators that the host has to start to `kernels`.
  [[nodiscard]] StageWork work_without_host(const std::uint32_t* counts, std::size_t last, const Layout& layout,
                                            HostKernels& kernels);
  /// The last stage of a pipeline holds an embedding that the head uses once more, and updates it as the first one
  /// does. Without a pipeline: what of a frozen one the head's backward pass needs.
  void add_tied_copy(StageWork& work, const Layout& layout) const;
  void note_tied_weights();
  /// Tensors that several blocks of a chunk keep are there once.
  void leave_out_kept_again(std::vector<StageWork>& chunks, const ChunkPlan& plan, const Layout& layout);
  [[nodiscard]] Seconds time_beside_wire(Bytes message, const Layout& layout) const;
  /// Blocks that recomputation may run once more: not the last one, whose activations are still there.
  [[nodiscard]] bool may_run_again(std::size_t klass) const;
  /// What is done again where that is a part of each block; nothing where it is whole blocks, or none.
  [[nodiscard]] const PartAgain* part_again(std::size_t klass, const BlockPrice& price, const Layout& layout) const;
  /// Of a block's forward exchanges over tensor-parallel ranks those that recomputation by operators does again: with
  /// sequence parallelism gathers, whose sums are saved; else the sum behind attention, as the other product is saved.
  [[nodiscard]] double exchanged_again(const Layout& layout) const;
  /// Of so many blocks of a class: passes run again, what they send (with the passes themselves), what is kept.
  void add_recomputed(StageWork& work, HostKernels& kernels, std::size_t klass, double times, const Layout& layout);

  [[nodiscard]] LibraryCost over_replicas(CollectiveKind kind, double parameters, double bytes_each,
                                          const GroupPlace& place, const Layout& layout) const;
  [[nodiscard]] StatesMoved states_moved_once(const StageWork& stage, const Layout& layout) const;
  [[nodiscard]] double gather_slowdown(const GroupPlace& place) const;
  [[nodiscard]] double wire_bytes_of_gradient() const;
  /// Moved by an inner step, of each parameter.
  [[nodiscard]] double update_bytes() const;
  /// Seconds that so many bytes of device memory take.
  [[nodiscard]] double streamed(double bytes) const;
  /// Of one micro-batch, where sums are kept apart from its gradients.
  [[nodiscard]] Seconds gradient_sums(const StageWork& stage) const;
  [[nodiscard]] Seconds delay_of_sent_byte() const;
  /// Of what one rank's optimizer holds, all or its share (ZeRO): bytes of each parameter over the memory's bandwidth;
  /// on the host as long as an inner step's (assumed for the update between islands).
  [[nodiscard]] Seconds update_time(const StageWork& stage, double bytes_each, const Layout& layout) const;
  [[nodiscard]] LayoutMemory fullest(const std::vector<StageWork>& chunks, const std::vector<StageWork>& stages,
                                     const Layout& layout) const;

  TrainingJob job_;
  BlockSequence sequence_;
  std::vector<Paths> paths_;  // with 1, 2, ... devices of a node at once
  LayerMarks marks_;
  // Per sample, of the whole network; computed tokens alone. Training: attention whole; the others as executed.
  Flops training_flops_, executed_flops_, recomputed_flops_, core_flops_, operators_flops_;
  std::vector<KeptAgain> kept_again_;
  double tied_numbers_ = 0, frozen_tied_numbers_ = 0;  // of an embedding that the head uses too
  double tied_numbers_back_ = 0;  // of a frozen one without a backward pass of its own, those that the head's needs
  std::map<int, TensorSplit> splits_;
  std::map<double, double> largest_of_;  // expected_largest() of so many replicas
  std::unordered_map<PriceKey, ChunkPlan, PriceKeyHash> plans_;
  std::unordered_map<PriceKey, BlockPrice, PriceKeyHash> prices_;
  PipelineReplay replay_;
};

}  // namespace orrery
