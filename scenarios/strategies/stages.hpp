// A network cut into contiguous stages: where to cut, and what crosses a cut.
#pragma once

#include <span>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "scenarios/strategies/layer_work.hpp"

namespace orrery {

/// Layers in a row, as the choice of cuts sees them: three values per layer, in any one unit each, none below 0.
struct LayerRow {
  std::vector<double> seconds;
  std::vector<double> flops;      // of matrix products
  std::vector<double> cut_bytes;  // what crosses a cut behind the layer; that of the last layer is not read
  /// Where the runs are on different devices: the seconds of each part, in the order of the runs; empty: `seconds`.
  std::vector<std::vector<double>> seconds_of_part{};
};

/// Part by which the largest stage may exceed the smallest possible one when that saves traffic. Source: assumed.
inline constexpr double stage_slack = 0.05;

/// Cuts the row into `parts` contiguous runs, none empty, by dynamic programming over prefixes, twice, O(parts x n^2).
/// First finds the smallest possible time M of the largest run; then takes, among the cuts whose largest run takes at
/// most M x (1 + stage_slack), those with the least bytes across all cuts; among these the least sum of the squares of
/// the runs' times; what still ties is cut as early as possible from the end on. Every run has a layer with FLOPs if
/// there are as many of those as runs, else a layer that takes time if there are as many of those. Values that differ
/// by less than 1e-12 of themselves count as equal. Contract: 1 <= parts <= number of layers, equally long columns.
std::vector<Span> cut_into_stages(const LayerRow& row, std::size_t parts);

/// Numbers per sample that cross the cut before layer `cut`. Forward: the outputs of earlier layers that `cut` or a
/// later one still reads, each counted once. Backward: the gradients of those of them that training needs.
double numbers_across(const LayerGraph& graph, std::size_t cut, Pass pass);

}  // namespace orrery
