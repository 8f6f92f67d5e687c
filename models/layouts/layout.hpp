// A layout: how a job is spread over devices in every dimension at once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/segments.hpp"
#include "sim/program/op.hpp"
#include "topologies/precision.hpp"

namespace orrery {

enum class PipelineSchedule : std::uint8_t {
  gpipe,
  one_f_one_b,  // interleaved when a stage has several chunks
  zero_bubble   // ZB-H1 (Qi et al. 2023): gradients of weights fill the bubble; every stage keeps as much as 1F1B's
                // first
};
inline constexpr std::array all_pipeline_schedules = {PipelineSchedule::gpipe, PipelineSchedule::one_f_one_b,
                                                      PipelineSchedule::zero_bubble};
std::string_view name_of(PipelineSchedule schedule);
/// Whether gradients of weights are a pass of their own, behind those of the inputs.
bool splits_backward(PipelineSchedule schedule);

enum class SequenceParallel : std::uint8_t { off, on };
/// On devices of several kinds. equal: every replica has as many micro-batches and every stage as many layers as the
/// others, and the fast ones wait. speed: shared out so that the slowest of them is done as early as it can be.
enum class Balance : std::uint8_t { equal, speed };
/// Blocks in the chunks of a pipeline. equal: as many in each, where they are interleaved; the ends may have one fewer.
/// uneven: stages as near to equal work as whole blocks allow, embedding and head among them, then chunks (what lists
/// of layers are for: Megatron-Core's pipeline-model-parallel-layout).
enum class Chunks : std::uint8_t { equal, uneven };
enum class Offload : std::uint8_t { none, optimizer };  // optimizer state and step on the host

/// Steps between islands, as DiLoCo takes them (Douillard et al. 2023, arXiv 2311.08105): equal islands, runs of whole
/// replicas, step by themselves; every so many steps they sum how far their parameters have moved, and one more
/// optimizer (Nesterov momentum) moves the parameters that all go on with. It learns otherwise than synchronous steps.
struct OuterSteps {
  int islands = 1;                     // of dp; 1: every step is synchronous
  int every = 500;                     // steps of an island between two of these; Douillard et al. 2023
  Precision format = Precision::fp32;  // of the differences on the wires
};

struct Layout {
  int dp = 1, tp = 1, pp = 1, cp = 1;
  int ep = 1;                   // experts are spread over ep of the ranks that expert_ranks_in_step() counts
  int etp = 0;                  // ranks that an expert is split over: 1, or 0 (tp): all that share a layer
  int zero_stage = 0;           // 0..3; 3 is FSDP
  int zero_group = 0;           // ranks that share states (hybrid sharding); 0: all of dp x cp
  std::int64_t microbatch = 1;  // samples
  int interleave = 1;           // chunks of layers per stage
  Chunks chunks = Chunks::equal;
  SequenceParallel sequence_parallel = SequenceParallel::off;
  Recompute recompute = Recompute::none;
  PipelineSchedule schedule = PipelineSchedule::one_f_one_b;
  Offload offload = Offload::none;
  Balance balance = Balance::equal;
  OuterSteps outer;
  /// Dimensions by rank, the fastest first. ep lies inside dp and cp, where an expert is not split inside tp too, and
  /// is not listed.
  std::array<Dimension, 4> order = {Dimension::tp, Dimension::cp, Dimension::dp, Dimension::pp};

  [[nodiscard]] std::int64_t devices() const { return std::int64_t{dp} * tp * pp * cp; }
};

/// "tp8 pp8 dp16 v3 b1 zero1 selective sp"
std::string to_text(const Layout& layout);

/// Ranks apart that neighbours in a dimension are (product of the degrees of faster dimensions).
std::int64_t stride(const Layout& layout, Dimension dimension);
int degree(const Layout& layout, Dimension dimension);
/// Whether the chunks of a stage may be unequal.
bool has_unequal_chunks(const Layout& layout);
/// Whether as many replicas stand in every island.
bool has_equal_islands(const Layout& layout);
/// Of the dp x cp replicas of a rank those that sum gradients in every step: all, or an island of them.
int replicas_in_step(const Layout& layout);
/// Ranks that an expert is split over, tp or 1: Megatron-Core's expert-tensor-parallel-size, whose default is tp (MoE
/// parallel folding: Liu et al. 2025, arXiv 2504.14960).
int expert_tensor_degree(const Layout& layout);
/// Of the ranks of a stage those that experts are dealt to, ep by ep: the replicas of a rank, and where an expert is
/// not split those of the tp ranks beside it, which have tokens of their own then (sequence parallelism).
int expert_ranks_in_step(const Layout& layout);
/// Of them those that hold the same experts, where `replicas` share the states of the other weights; at least one.
int expert_sharers(const Layout& layout, int replicas);
/// Ranks that one group shares optimizer state (and more, by zero_stage) between: zero_group, else all replicas of a
/// step.
int sharing_ranks(const Layout& layout);
/// Parts that optimizer state is divided into, of one rank each; of experts.
int state_shares(const Layout& layout);
int expert_state_shares(const Layout& layout);
/// Samples of one replica / micro-batch.
std::int64_t microbatches(const Layout& layout, std::int64_t batch);

}  // namespace orrery
