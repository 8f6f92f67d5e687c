// A network cut into contiguous stages: where to cut, and what crosses a cut.
#pragma once

#include <span>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// Cuts a row of costs into `parts` contiguous runs, none empty, such that the largest sum is as small as possible
/// (dynamic programming over prefixes, O(parts x n^2)); among equals, earlier runs are the shorter ones. Contract: 1 <=
/// parts <= costs.size(), costs >= 0.
std::vector<Span> balance(std::span<const double> costs, std::size_t parts);

/// Numbers per sample that cross the cut before layer `cut`: the outputs of earlier layers that `cut` or a later one
/// still reads, each counted once. Forward moves these activations, backward as many gradients.
double numbers_across(const LayerGraph& graph, std::size_t cut);

/// The embedding whose weights a tied layer uses (the nearest one before it). Invalid for layers with weights of their
/// own.
LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer);

}  // namespace orrery
