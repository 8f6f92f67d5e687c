// Rings inside the nodes and between them, as NCCL's and Horovod's hierarchical all-reduce: reduce-scatter inside each
// node, then one ring per place in the node ("rail") over all nodes, then all-gather inside. The slow network between
// the nodes carries only 1/ranks_per_node of the bytes per rank. Chunk p * nodes + v: the v-th part of the piece that
// place p of each node is responsible for.
#include "sim/collectives/pipeline.hpp"
#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

struct Layout {
  std::int32_t nodes = 1, places = 1;

  [[nodiscard]] std::int32_t rank(std::int32_t node, std::int32_t place) const { return node * places + place; }
};

/// Ring inside every node: place p sends its piece p + offset - k, `nodes` chunks at once.
Round inside(const Layout& layout, std::int32_t offset, Arrival arrival) {
  Round round{layout.places - 1, -layout.nodes, {}};
  for (std::int32_t node = 0; node < layout.nodes; ++node) {
    for (std::int32_t place = 0; place < layout.places; ++place) {
      const std::int32_t piece = (place + offset + layout.places) % layout.places;
      round.transfers.push_back({layout.rank(node, place), layout.rank(node, (place + 1) % layout.places),
                                 piece * layout.nodes, layout.nodes, arrival});
    }
  }
  return round;
}

/// Rings between the nodes, one per place, each turning within its own piece.
Round rails(const Layout& layout, std::int32_t offset, Arrival arrival) {
  Round round{layout.nodes - 1, -1, {}, layout.nodes};
  for (std::int32_t node = 0; node < layout.nodes; ++node) {
    for (std::int32_t place = 0; place < layout.places; ++place) {
      const std::int32_t part = (node + offset + layout.nodes) % layout.nodes;
      round.transfers.push_back({layout.rank(node, place), layout.rank((node + 1) % layout.nodes, place),
                                 place * layout.nodes + part, 1, arrival});
    }
  }
  return round;
}

/// A chain over the nodes along the root's rail, and from there a chain inside each node, all overlapping.
Schedule broadcast(const Layout& layout, const GroupShape& shape) {
  const std::int32_t root_node = shape.root / layout.places, root_place = shape.root % layout.places;
  PipelinedTree tree;
  tree.chunk_count = shape.pipeline_chunks;
  for (std::int32_t far = 0; far < layout.nodes; ++far) {
    const std::int32_t node = (root_node + far) % layout.nodes;
    if (far > 0) {
      const std::int32_t before = (root_node + far - 1) % layout.nodes;
      tree.edges.push_back({layout.rank(before, root_place), layout.rank(node, root_place), far});
    }
    for (std::int32_t step = 1; step < layout.places; ++step) {
      const std::int32_t from = (root_place + step - 1) % layout.places, to = (root_place + step) % layout.places;
      tree.edges.push_back({layout.rank(node, from), layout.rank(node, to), far + step});
    }
  }
  Schedule schedule{shape.ranks, shape.pipeline_chunks, {}, {}};
  add_downwards(schedule, tree, 0);
  return schedule;
}

}  // namespace

Schedule hierarchical_schedule(CollectiveKind kind, const GroupShape& shape) {
  if (shape.ranks_per_node == 1 || shape.ranks % shape.ranks_per_node != 0) return ring_schedule(kind, shape);
  const Layout layout{shape.ranks / shape.ranks_per_node, shape.ranks_per_node};
  if (layout.nodes == 1) return ring_schedule(kind, shape);
  if (kind == CollectiveKind::broadcast) return broadcast(layout, shape);
  Schedule schedule{shape.ranks, shape.ranks, {}, {}};
  if (kind != CollectiveKind::all_gather) {
    schedule.rounds.push_back(inside(layout, -1, Arrival::reduce));
    schedule.rounds.push_back(rails(layout, -1, Arrival::reduce));
  }
  if (kind != CollectiveKind::reduce_scatter) {
    schedule.rounds.push_back(rails(layout, 0, Arrival::copy));
    schedule.rounds.push_back(inside(layout, 0, Arrival::copy));
  }
  for (std::int32_t rank = 0; rank < shape.ranks; ++rank) {
    schedule.home.push_back(rank % layout.places * layout.nodes + rank / layout.places);
  }
  return schedule;
}

}  // namespace orrery
