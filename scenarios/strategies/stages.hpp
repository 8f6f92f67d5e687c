// A network cut into contiguous stages: where to cut, and what crosses a cut.
#pragma once

#include <span>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// Cuts a row of costs into `parts` contiguous runs, none empty, such that the largest sum is as small as possible;
/// among these cuts, such that the sum of the squares of the sums is (dynamic programming over prefixes, twice,
/// O(parts x n^2)); what still ties is cut as early as possible from the end on. No run is without cost when there are
/// at least as many costs above 0 as runs: giving such a run to its neighbour and cutting a run of two costs instead
/// has smaller squares. Sums that differ by less than 1e-12 of the whole count as equal. Contract: 1 <= parts <=
/// costs.size(), costs >= 0.
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
