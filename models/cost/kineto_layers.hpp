// Which layer of a network each operator of a traced step belongs to.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/cost/kineto_steps.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// The trace is of another network, or of more than one batch per step.
struct TraceMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The layer (index into graph.layers) of each operator of the forward pass, in their order. Throws TraceMismatch
/// naming layer, operator and time.
std::vector<std::size_t> forward_layers(const std::vector<TraceOp>& ops, const LayerGraph& graph);

/// Same of the backward pass, among the layers that need a gradient. `forward` and `layers_of_forward` are tied to it
/// by sequence numbers where there are any.
std::vector<std::size_t> backward_layers(const std::vector<TraceOp>& ops, const LayerGraph& graph,
                                         const std::vector<TraceOp>& forward,
                                         const std::vector<std::size_t>& layers_of_forward);

}  // namespace orrery
