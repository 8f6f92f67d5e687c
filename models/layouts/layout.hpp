// A layout: how a job is spread over devices in every dimension at once.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/segments.hpp"
#include "sim/collectives/library.hpp"
#include "sim/program/op.hpp"
#include "topologies/precision.hpp"

namespace orrery {

enum class PipelineSchedule : std::uint8_t {
  gpipe,
  one_f_one_b,  // interleaved when a stage has several chunks
  zero_bubble   // ZB-H1 (Qi et al. 2023): gradients of weights fill the bubble; every stage keeps as much as 1F1B's
                // first
};
std::string_view name_of(PipelineSchedule schedule);

enum class SequenceParallel : std::uint8_t { off, on };
/// On devices of several kinds. equal: every replica has as many micro-batches and every stage as many layers as the
/// others, and the fast ones wait. speed: shared out so that the slowest of them is done as early as it can be.
enum class Balance : std::uint8_t { equal, speed };
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
  int ep = 1;                   // experts are spread over ep of the dp x cp ranks that hold the same dense weights
  int zero_stage = 0;           // 0..3; 3 is FSDP
  int zero_group = 0;           // ranks that share states (hybrid sharding); 0: all of dp x cp
  std::int64_t microbatch = 1;  // samples
  int interleave = 1;           // chunks of layers per stage
  SequenceParallel sequence_parallel = SequenceParallel::off;
  Recompute recompute = Recompute::none;
  PipelineSchedule schedule = PipelineSchedule::one_f_one_b;
  Offload offload = Offload::none;
  Balance balance = Balance::equal;
  OuterSteps outer;
  /// Dimensions by rank, the fastest first. ep lies inside dp and is not listed.
  std::array<Dimension, 4> order = {Dimension::tp, Dimension::cp, Dimension::dp, Dimension::pp};

  [[nodiscard]] std::int64_t devices() const { return std::int64_t{dp} * tp * pp * cp; }
};

/// "tp8 pp8 dp16 v3 b1 zero1 selective sp"
std::string to_text(const Layout& layout);

/// Ranks apart that neighbours in a dimension are (product of the degrees of faster dimensions).
std::int64_t stride(const Layout& layout, Dimension dimension);
int degree(const Layout& layout, Dimension dimension);
/// Of the dp x cp replicas of a rank those that sum gradients in every step: all, or an island of them.
int replicas_in_step(const Layout& layout);
/// Where `ranks` of the dp x cp replicas of a rank sit, every `every`-th of them, the faster of the two dimensions
/// first, when nodes of `devices_per_node` are filled in rank order.
GroupPlace place_of_replicas(const Layout& layout, int every, int ranks, int devices_per_node);
/// Where the group of a dimension sits. dp: all dp x cp replicas; ep: the first ep of them.
GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node);
/// Samples of one replica / micro-batch.
std::int64_t microbatches(const Layout& layout, std::int64_t batch);

}  // namespace orrery
