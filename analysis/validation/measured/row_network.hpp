// The network of a published row: by its dimensions, or by its name.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "models/networks/transformer.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

/// Why a row has no prediction.
class RowSkipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One row of model_names.csv; 0 where it does not say.
struct ModelName {
  std::string words;
  double params_b = 0;
  std::string family, network;
  std::int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, ffn = 0, vocab = 0, tokens = 0;
  std::string source;
};
std::vector<ModelName> read_model_names(Problems& problems);

/// A network by the name of the catalogue, or a transformer by its dimensions.
struct RowNetwork {
  std::string name;        // of models/networks; empty: shape
  TransformerShape shape;  // vocabulary as the row has it
  bool is_bert = false;
  std::vector<std::string> assumed;

  [[nodiscard]] bool is_transformer() const { return name.empty(); }
  /// With the vocabulary padded to a multiple of 128 x `tensor_ranks`, as Megatron-LM does. Throws RowSkipped for a
  /// network that is not shipped.
  [[nodiscard]] LayerGraph graph(int tensor_ranks) const;
  /// What it is, for a cache.
  [[nodiscard]] std::string key() const;
};

/// Families: gpt (gelu, layer norm, learned positions, biases, tied, dropout .1), llama (SwiGLU, rms norm, rotary,
/// untied), bert (encoder, norms after, two segments, dropout .1), palm (SwiGLU, rotary, tied, no biases), neox (gelu,
/// rotary, untied), bloom (gelu, ALiBi, norm of the embedding, tied). A row with layers and hidden and a model of no
/// known name is a gpt. Throws RowSkipped naming what is missing.
RowNetwork network_of(const MeasuredRow& row, const std::vector<ModelName>& names);

}  // namespace orrery
