// The network of a published row: by its dimensions, or by its name.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "models/networks/transformer_table.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

/// Why a row has no prediction.
class RowSkipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One row of model_names.csv; 0 and empty where it does not say.
struct ModelName {
  std::string words;
  double params_b = 0;
  std::string network, style;
  std::int64_t layers = 0, hidden = 0, heads = 0, ffn = 0, vocab = 0, tokens = 0;
  std::string note;
};

struct ModelTable {
  std::vector<ModelName> names;
  std::vector<TransformerRow> transformers;  // of models/networks/transformers.csv
};
/// A network or style that does not exist is a problem.
ModelTable read_model_table(Problems& problems);

/// A network by the name of the catalogue, or a transformer by its dimensions.
struct RowNetwork {
  std::string name;        // of models/networks; empty: shape
  TransformerShape shape;  // vocabulary as the row has it
  bool is_bert = false;
  std::int64_t counted_tokens = 0;  // of a network by name: tokens that rates count in a sample, padding left out
  std::vector<std::string> assumed;

  [[nodiscard]] bool is_transformer() const { return name.empty(); }
  /// With the vocabulary padded to a multiple of 128 x `tensor_ranks`, as Megatron-LM does. Throws RowSkipped for a
  /// network that is not shipped.
  [[nodiscard]] LayerGraph graph(int tensor_ranks) const;
};

/// The network of the model's name with the row's own dimensions in the place of its; a model of no known name with
/// layers and hidden is a gpt, or a llama where its ffn is not 4 x hidden. gpt and bert train with dropout .1 in any
/// case. Throws RowSkipped naming what is missing.
RowNetwork network_of(const MeasuredRow& row, const ModelTable& table);

}  // namespace orrery
