// One block of a transformer, appended to a graph.
#pragma once

#include <string>

#include "models/networks/graph_writer.hpp"
#include "models/networks/transformer.hpp"

namespace orrery {

/// Where a block stands.
struct BlockPlace {
  std::string prefix;  // "block.1."
  bool causal = false;
  bool is_first = false;  // of its stack: holds the table of relative positions
  bool has_experts = false;
  std::int64_t window = 0;  // tokens that attention sees; 0: all
  LayerId input;            // what the block reads
  LayerId memory;           // what cross attention attends to; invalid: none
};

/// `shape` with every default filled in.
void add_block(GraphWriter& writer, const TransformerShape& shape, const BlockPlace& place);
LayerKind kind_of(Normalisation normalisation);

}  // namespace orrery
