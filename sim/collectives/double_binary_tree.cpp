// Two binary trees, each for half of the chunks. Sanders, Speck and Traff, "Two-tree algorithms for full bandwidth
// broadcast, reduction and scan", Parallel Computing 35(12), 2009: a rank that is inside one tree is a leaf of the
// other, so that every port carries every byte once in each direction.
#include <bit>

#include "sim/collectives/pipeline.hpp"
#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

/// Parent of node `id` (1..nodes) in the tree that has 1..nodes as its in-order: odd ids are leaves; 0 for the top
/// node.
std::int32_t in_order_parent(std::int32_t id, std::int32_t nodes) {
  if (id == static_cast<std::int32_t>(std::bit_floor(static_cast<std::uint32_t>(nodes)))) return 0;
  const std::int32_t bit = id & -id;
  const std::int32_t right = (id ^ bit) | (bit << 1);
  // Where the full tree's parent is missing, the next one to the left takes its place.
  return right <= nodes ? right : id ^ bit;
}

std::int32_t depth_of(std::int32_t id, std::int32_t nodes) {
  std::int32_t depth = 1;
  for (id = in_order_parent(id, nodes); id != 0; id = in_order_parent(id, nodes)) ++depth;
  return depth;
}

enum class Twin { first, second };

/// The rank of tree node `id`. The second tree swaps odd and even ids: mirrored when their number is even, turned by
/// one when it is odd. Node 0 is the root of the collective, above the top nodes of both.
std::int32_t rank_of(std::int32_t id, Twin twin, const GroupShape& shape) {
  const std::int32_t nodes = shape.ranks - 1;
  if (id != 0 && twin == Twin::second) id = nodes % 2 == 0 ? nodes + 1 - id : id % nodes + 1;
  return (shape.root + id) % shape.ranks;
}

PipelinedTree tree(Twin twin, std::int32_t chunks, const GroupShape& shape) {
  PipelinedTree result;
  result.first_chunk = twin == Twin::first ? 0 : chunks;
  result.chunk_count = chunks;
  const std::int32_t nodes = shape.ranks - 1;
  for (std::int32_t id = 1; id <= nodes; ++id) {
    result.edges.push_back(
        {rank_of(in_order_parent(id, nodes), twin, shape), rank_of(id, twin, shape), depth_of(id, nodes)});
  }
  return result;
}

}  // namespace

Schedule double_binary_tree_schedule(CollectiveKind kind, const GroupShape& shape) {
  const std::int32_t per_tree = (shape.pipeline_chunks + 1) / 2;
  Schedule schedule{shape.ranks, 2 * per_tree, {}, {}};
  if (shape.ranks == 1) return schedule;
  for (const Twin twin : {Twin::first, Twin::second}) {
    const PipelinedTree half = tree(twin, per_tree, shape);
    if (kind == CollectiveKind::all_reduce) {
      add_upwards(schedule, half, 0);
      add_downwards(schedule, half, half.height());  // a chunk turns round at the root as soon as it is complete
    } else {
      add_downwards(schedule, half, 0);
    }
  }
  return schedule;
}

}  // namespace orrery
