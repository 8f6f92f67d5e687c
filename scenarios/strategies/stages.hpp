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

/// For each layer whether training needs the gradient of its output: it has weights, or a layer it reads has.
std::vector<bool> needs_gradient(const LayerGraph& graph);

/// Numbers per sample that cross the cut before layer `cut`. Forward: the outputs of earlier layers that `cut` or a
/// later one still reads, each counted once. Backward: the gradients of those of them that training needs.
double numbers_across(const LayerGraph& graph, std::size_t cut, Pass pass);

/// The embedding whose weights a tied layer uses (the nearest one before it). Invalid for layers with weights of their
/// own.
LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer);

}  // namespace orrery
