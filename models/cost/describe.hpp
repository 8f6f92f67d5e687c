// A network as a table for people: `--dump workload` and `orrery show network`.
#pragma once

#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Title, input, totals, then one line per layer: name, kind, input -> output shape, parameters, forward MFLOPs and the
/// numbers (in thousands) it keeps for backward, each per sample.
std::string describe(const LayerGraph& graph);

}  // namespace orrery
