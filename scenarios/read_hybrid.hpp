// The keys of kind = "hybrid".
#pragma once

#include "scenarios/reading.hpp"

namespace orrery {

/// Of tp, pp, cp, ep and interleave: tp x pp x cp x 1e6 replicas stays below 2^63, any two of them below 2^31.
inline constexpr Range layout_degree{1.0, 1e4};
inline constexpr Range layout_microbatch{1.0, 1e8};  // samples: recommenders take millions; x dp x pp below 2^63

/// Reads the layout and what disturbs it into `spec`, whose cluster, precision and recompute stand. Whether the network
/// can be laid out so is no matter of reading: LayoutJudge says it, and such a way is infeasible, not wrong. Keys about
/// experts that `network` does not have are problems.
void read_hybrid(TomlTable& table, StrategySpec& spec, const LayerGraph& network);

/// Also of a network that could not be read: it has its own problem, and nothing is refused for it.
bool may_have_experts(const LayerGraph& network);

/// What can be written for each of them; also the lists of [search].
const Names<PipelineSchedule>& hybrid_schedules();
const Names<Recompute>& hybrid_recomputes();

}  // namespace orrery
