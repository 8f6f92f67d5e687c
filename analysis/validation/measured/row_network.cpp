#include "analysis/validation/measured/row_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/words.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

constexpr double same_size = 0.03;
constexpr std::int64_t vocabulary_multiple = 128;  // Megatron-LM, --make-vocab-size-divisible-by
constexpr std::int64_t default_vocabulary = 51200;
constexpr std::int64_t default_tokens = 2048;
constexpr double trained_dropout = 0.1;  // hidden states and scores, GPT-2 and BERT

std::int64_t count(CsvRow& row, const char* column) {
  return static_cast<std::int64_t>(row.number(column).value_or(0));
}

bool fits_name(const MeasuredRow& row, const std::vector<std::string>& words, const ModelName& name) {
  if (!has_words(words, name.words)) return false;
  if (name.params_b <= 0) return true;
  return row.params_b && std::abs(*row.params_b / name.params_b - 1) < same_size;
}

void set_family(TransformerShape& shape, const std::string& family) {
  if (family == "llama") {
    shape.feedforward = Feedforward::swiglu;
    shape.normalisation = Normalisation::rms_norm;
    shape.position = Positions::rotary;
    shape.biases = false;
    shape.tied = false;
  } else if (family == "palm") {
    shape.feedforward = Feedforward::swiglu;
    shape.position = Positions::rotary;
    shape.biases = false;
  } else if (family == "neox") {
    shape.position = Positions::rotary;
    shape.tied = false;
  } else if (family == "bloom") {
    shape.position = Positions::alibi;
    shape.embedding_norm = true;
  } else if (family == "bert") {
    shape.family = TransformerFamily::encoder;
    shape.segments = 2;
    shape.normalise_after = true;
    shape.embedding_norm = true;
    shape.dropout = trained_dropout;
  } else {
    shape.dropout = trained_dropout;
  }
}

/// The row's figure, else the name's, else the default with a word about it.
std::int64_t figure(const std::optional<std::int64_t>& row, std::int64_t name, std::int64_t otherwise, const char* what,
                    std::vector<std::string>& assumed) {
  if (row) return *row;
  if (name <= 0 && otherwise <= 0) return 0;
  const std::int64_t value = name > 0 ? name : otherwise;
  assumed.push_back(fmt::format("{} {}", what, value));
  return value;
}

void need(std::int64_t value, const char* what, const MeasuredRow& row) {
  if (value <= 0) throw RowSkipped(fmt::format("missing: {} of \"{}\"", what, row.model));
}

RowNetwork transformer_of(const MeasuredRow& row, const ModelName& name) {
  RowNetwork network;
  TransformerShape& shape = network.shape;
  shape.name = row.model;
  set_family(shape, name.family);
  network.is_bert = name.family == "bert";
  shape.layers = figure(row.layers, name.layers, 0, "layers", network.assumed);
  need(shape.layers, "layers", row);
  shape.hidden = figure(row.hidden, name.hidden, 0, "hidden", network.assumed);
  need(shape.hidden, "hidden size", row);
  const std::int64_t usual_heads = std::max<std::int64_t>(1, shape.hidden / 128);
  shape.heads = figure(row.heads, row.hidden ? 0 : name.heads, usual_heads, "heads", network.assumed);
  shape.kv_heads = row.kv_heads.value_or(name.kv_heads);
  shape.ffn = row.ffn_hidden.value_or(row.hidden && *row.hidden != name.hidden ? 0 : name.ffn);
  shape.vocabulary = figure(row.vocab, name.vocab, default_vocabulary, "vocabulary", network.assumed);
  if (!row.seq_len && !row.words("seq_len").empty()) {
    throw RowSkipped(fmt::format("seq_len \"{}\" is more than one length", row.words("seq_len")));
  }
  shape.tokens = figure(row.seq_len, name.tokens, default_tokens, "tokens", network.assumed);
  return network;
}

}  // namespace

std::vector<ModelName> read_model_names(Problems& problems) {
  const auto file = data_directory() / "analysis" / "validation" / "model_names.csv";
  CsvTable table = CsvTable::read(file.string(),
                                  {{"words", "params_b", "family", "network", "layers", "hidden", "heads", "kv_heads",
                                    "ffn", "vocab", "tokens", "source"},
                                   {}},
                                  problems);
  std::vector<ModelName> names;
  for (CsvRow& row : table.rows()) {
    ModelName name;
    name.words = row.required_text("words");
    name.params_b = row.number("params_b").value_or(0);
    name.family = row.required_text("family");
    name.network = row.text("network");
    name.layers = count(row, "layers");
    name.hidden = count(row, "hidden");
    name.heads = count(row, "heads");
    name.kv_heads = count(row, "kv_heads");
    name.ffn = count(row, "ffn");
    name.vocab = count(row, "vocab");
    name.tokens = count(row, "tokens");
    name.source = row.text("source");
    names.push_back(std::move(name));
  }
  return names;
}

LayerGraph RowNetwork::graph(int tensor_ranks) const {
  if (is_transformer()) {
    TransformerShape padded = shape;
    const std::int64_t multiple = vocabulary_multiple * tensor_ranks;
    padded.vocabulary = (padded.vocabulary + multiple - 1) / multiple * multiple;
    return transformer_graph(padded);
  }
  const std::vector<std::string> shipped = network_names();
  if (std::find(shipped.begin(), shipped.end(), name) == shipped.end()) {
    throw RowSkipped(fmt::format("network {} is not in the catalogue", name));
  }
  return load_network(name);
}

std::string RowNetwork::key() const {
  if (!is_transformer()) return name;
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {}", shape.layers, shape.hidden, shape.heads, shape.kv_heads,
                     shape.ffn, shape.vocabulary, shape.tokens, static_cast<int>(shape.family),
                     static_cast<int>(shape.feedforward), static_cast<int>(shape.position), shape.tied);
}

RowNetwork network_of(const MeasuredRow& row, const std::vector<ModelName>& names) {
  const std::vector<std::string> words = words_of(row.model);
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const ModelName& name) { return fits_name(row, words, name); });
  if (found != names.end() && found->family == "none") {
    throw RowSkipped(fmt::format("model \"{}\": {}", row.model, found->source));
  }
  if (found == names.end()) {
    if (row.layers && row.hidden) return transformer_of(row, ModelName{});
    throw RowSkipped(row.model.empty() ? "missing: model" : fmt::format("model \"{}\" is unknown", row.model));
  }
  if (found->network.empty()) return transformer_of(row, *found);
  RowNetwork network;
  network.name = found->network;
  return network;
}

}  // namespace orrery
