// Transformers that ship with Orrery by their dimensions: models/networks/transformers.csv.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/transformer.hpp"

namespace orrery {

/// A row of the table. `patch` is the side of a patch of a vision transformer's 224 x 224 x 3 image of 1,000 classes;
/// 0: a model of language.
struct TransformerRow {
  TransformerShape shape;  // its name is the id
  std::int64_t patch = 0;
};

/// What the blocks of a style are made of, dimensions left open. Nothing when it is unknown.
std::optional<TransformerShape> transformer_style(std::string_view style);
std::vector<std::string> transformer_styles();

/// Every row of the table, in its order.
std::vector<TransformerRow> read_transformers(Problems& problems);
/// Same from a text; `file` stands for it in messages. Problems: a doubled id, an unknown style, a number that is not
/// whole or out of range, a row without source.
std::vector<TransformerRow> parse_transformers(std::string_view text, const std::string& file, Problems& problems);

LayerGraph graph_of(const TransformerRow& row);

}  // namespace orrery
