#include "sim/collectives/pipeline.hpp"

#include <algorithm>
#include <cstddef>

namespace orrery {

namespace {

Round& round_at(Schedule& schedule, std::int32_t index) {
  const auto wanted = static_cast<std::size_t>(index);
  if (schedule.rounds.size() <= wanted) schedule.rounds.resize(wanted + 1);
  return schedule.rounds[wanted];
}

}  // namespace

std::int32_t PipelinedTree::height() const {
  std::int32_t deepest = 0;
  for (const Edge& edge : edges) deepest = std::max(deepest, edge.depth);
  return deepest;
}

void add_downwards(Schedule& schedule, const PipelinedTree& tree, std::int32_t start) {
  for (std::int32_t chunk = 0; chunk < tree.chunk_count; ++chunk) {
    for (const auto& edge : tree.edges) {
      round_at(schedule, start + chunk + edge.depth - 1)
          .transfers.push_back({edge.parent, edge.child, tree.first_chunk + chunk, 1, Arrival::copy});
    }
  }
}

void add_upwards(Schedule& schedule, const PipelinedTree& tree, std::int32_t start) {
  const std::int32_t height = tree.height();
  for (std::int32_t chunk = 0; chunk < tree.chunk_count; ++chunk) {
    for (const auto& edge : tree.edges) {
      round_at(schedule, start + chunk + height - edge.depth)
          .transfers.push_back({edge.child, edge.parent, tree.first_chunk + chunk, 1, Arrival::reduce});
    }
  }
}

}  // namespace orrery
