// Which numbers of a sample name rows of embedding tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "models/training/dataset.hpp"

namespace orrery {

/// A number of every sample that layers of embedding tables read.
struct RowNumber {
  std::size_t place = 0;  // in the sample
  std::int64_t rows = 0;  // of the smallest table that it names a row of: it lies below
  LayerId layer;          // that table's
};

/// Where in a sample the numbers begin that a layer of embedding tables reads: only views, and slices of vectors, may
/// lie between. None if others do: what layers compute names no rows.
std::optional<std::size_t> place_in_sample(const LayerGraph& graph, const Layer& tables);

/// By place, each once. The tables' places are known (execution plans refuse others).
std::vector<RowNumber> row_numbers(const LayerGraph& graph);

/// Throws InvalidInput naming layer, sample (from 0) and number where a number is no row: not whole, below 0 or beyond
/// the last. The first such number of each layer is told.
void require_rows(const LayerGraph& graph, const Samples& samples);

}  // namespace orrery
