// Trees whose levels overlap: while one chunk is at the second level, the next is at the first.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/collectives/schedule.hpp"

namespace orrery {

/// A rooted tree over the ranks of a group and the chunks that travel in it.
struct PipelinedTree {
  struct Edge {
    std::int32_t parent = 0, child = 0;
    std::int32_t depth = 1;  // of the child; the root has depth 0
  };
  std::vector<Edge> edges;
  std::int32_t first_chunk = 0, chunk_count = 1;

  [[nodiscard]] std::int32_t height() const;
};

/// Adds the chunks' way from the root to every rank: chunk c crosses the edges of depth d in round start + c + d - 1.
/// Rounds are appended to the schedule as needed; trees added from the same round on run beside each other.
void add_downwards(Schedule& schedule, const PipelinedTree& tree, std::int32_t start);

/// Adds the chunks' way, summed at every rank, up to the root: chunk c crosses the edges of depth d in round
/// start + c + height - d, and is complete at the root after round start + c + height - 1.
void add_upwards(Schedule& schedule, const PipelinedTree& tree, std::int32_t start);

}  // namespace orrery
