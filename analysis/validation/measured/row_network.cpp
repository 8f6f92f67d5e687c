#include "analysis/validation/measured/row_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/validation/measured/words.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

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

/// Billions of parameters, of the row or in a word of its model's name: "175b", "125m", "1t".
std::optional<double> billions_of(const MeasuredRow& row, const std::vector<std::string>& words) {
  if (row.params_b) return row.params_b;
  constexpr std::pair<char, double> units[] = {{'m', 1e-3}, {'b', 1}, {'t', 1e3}};
  for (const std::string& word : words) {
    for (const auto& [letter, billions] : units) {
      if (word.back() != letter) continue;
      if (const auto number = parse_number(word.substr(0, word.size() - 1))) return *number * billions;
    }
  }
  return std::nullopt;
}

/// A name or pattern without sizes and marks, by which spellings are compared: "llama" of "llama* 7b" and "Llama-7B".
std::string plain_name(std::string_view text) {
  std::vector<std::string> kept;
  for (const std::string& word : words_of(text)) {
    const bool is_size = (word.back() == 'b' || word.back() == 'm' || word.back() == 't') &&
                         parse_number(std::string_view(word).substr(0, word.size() - 1));
    if (!is_size) kept.push_back(word);
  }
  return join(kept, " ");
}

std::string unknown_model(const std::string& model, const ModelTable& table) {
  std::vector<std::string> known;
  for (const ModelName& name : table.names) known.push_back(plain_name(name.words));
  const auto near = nearest(plain_name(model), known);
  return fmt::format("model \"{}\" is unknown", model) + (near ? " - did you mean \"" + *near + "\"?" : "");
}

bool fits_name(const MeasuredRow& row, const std::vector<std::string>& words, const ModelName& name) {
  if (!has_words(words, name.words)) return false;
  if (name.params_b <= 0) return true;
  const auto billions = billions_of(row, words);
  return billions && std::abs(*billions / name.params_b - 1) < same_size;
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

/// What the name stands for, before the row's own dimensions.
TransformerShape named_shape(const MeasuredRow& row, const ModelName& name, const ModelTable& table) {
  const auto known = std::find_if(table.transformers.begin(), table.transformers.end(),
                                  [&](const TransformerRow& other) { return other.shape.name == name.network; });
  if (known != table.transformers.end()) return known->shape;
  const bool is_gated = name.style.empty() && row.ffn_hidden && row.hidden && *row.ffn_hidden != 4 * *row.hidden;
  TransformerShape shape = *transformer_style(!name.style.empty() ? name.style : is_gated ? "llama" : "gpt");
  shape.layers = name.layers;
  shape.hidden = name.hidden;
  shape.heads = name.heads;
  shape.ffn = name.ffn;
  shape.vocabulary = name.vocab;
  shape.tokens = name.tokens;
  return shape;
}

/// Parts that belong to another width.
void forget_width(TransformerShape& shape) {
  shape.heads = shape.kv_heads = shape.head_size = shape.ffn = 0;
}

RowNetwork transformer_of(const MeasuredRow& row, const ModelName& name, const ModelTable& table) {
  RowNetwork network;
  network.shape = named_shape(row, name, table);
  network.is_bert = name.style == "bert" || name.network.rfind("bert", 0) == 0;
  TransformerShape& shape = network.shape;
  shape.name = row.model;
  const bool is_gpt = name.style == "gpt" || (name.style.empty() && name.network.empty() && !row.ffn_hidden);
  if (network.is_bert || is_gpt) shape.dropout = trained_dropout;
  shape.layers = figure(row.layers, shape.layers, 0, "layers", network.assumed);
  need(shape.layers, "layers", row);
  if (row.hidden && *row.hidden != shape.hidden) forget_width(shape);
  shape.hidden = figure(row.hidden, shape.hidden, 0, "hidden", network.assumed);
  need(shape.hidden, "hidden size", row);
  const std::int64_t usual_heads = std::max<std::int64_t>(1, shape.hidden / 128);
  if (row.heads && *row.heads != shape.heads) shape.head_size = 0;
  shape.heads = figure(row.heads, shape.heads, usual_heads, "heads", network.assumed);
  shape.kv_heads = row.kv_heads.value_or(shape.kv_heads);
  shape.ffn = row.ffn_hidden.value_or(shape.ffn);
  shape.vocabulary = figure(row.vocab, shape.vocabulary, default_vocabulary, "vocabulary", network.assumed);
  if (!row.seq_len && !row.words("seq_len").empty()) {
    throw RowSkipped(fmt::format("seq_len \"{}\" is more than one length", row.words("seq_len")));
  }
  shape.tokens = figure(row.seq_len, shape.tokens, default_tokens, "tokens", network.assumed);
  shape.positions = 0;
  const std::vector<std::string> words = words_of(row.model + " " + row.notes);
  if (has_phrase(words, "parallel block") || has_phrase(words, "parallel transformer block")) {
    shape.order = BlockOrder::parallel_one_norm;
    network.assumed.emplace_back("attention and perceptron side by side");
  }
  return network;
}

bool is_transformer_id(const std::string& id, const ModelTable& table) {
  return std::any_of(table.transformers.begin(), table.transformers.end(),
                     [&](const TransformerRow& row) { return row.shape.name == id && row.patch == 0; });
}

}  // namespace

ModelTable read_model_table(Problems& problems) {
  ModelTable read;
  read.transformers = read_transformers(problems);
  const std::vector<std::string> shipped = network_names();
  const auto file = data_directory() / "analysis" / "validation" / "model_names.csv";
  CsvTable table = CsvTable::read(
      file.string(),
      {{"words", "params_b", "network", "style", "layers", "hidden", "heads", "ffn", "vocab", "tokens", "note"}, {}},
      problems);
  for (CsvRow& row : table.rows()) {
    ModelName name{row.required_text("words"),
                   row.number("params_b").value_or(0),
                   row.text("network"),
                   row.text("style"),
                   count(row, "layers"),
                   count(row, "hidden"),
                   count(row, "heads"),
                   count(row, "ffn"),
                   count(row, "vocab"),
                   count(row, "tokens"),
                   row.text("note")};
    if (!name.network.empty() && std::find(shipped.begin(), shipped.end(), name.network) == shipped.end()) {
      row.problem("network", "there is no network \"" + name.network + "\"");
    }
    if (!name.style.empty() && !transformer_style(name.style)) {
      row.problem("style", "there is no style \"" + name.style + "\"");
    }
    read.names.push_back(std::move(name));
  }
  return read;
}

LayerGraph RowNetwork::graph(int tensor_ranks) const {
  if (is_transformer()) {
    TransformerShape padded = shape;
    const std::int64_t multiple = vocabulary_multiple * tensor_ranks;
    padded.vocabulary = (padded.vocabulary + multiple - 1) / multiple * multiple;
    return transformer_graph(padded);
  }
  return load_network(name);
}

RowNetwork network_of(const MeasuredRow& row, const ModelTable& table) {
  const std::vector<std::string> words = words_of(row.model);
  const auto found = std::find_if(table.names.begin(), table.names.end(),
                                  [&](const ModelName& name) { return fits_name(row, words, name); });
  if (found == table.names.end()) {
    if (row.layers && row.hidden) return transformer_of(row, ModelName{}, table);
    throw RowSkipped(row.model.empty() ? "missing: model" : unknown_model(row.model, table));
  }
  if (found->network.empty() && found->style.empty()) {
    throw RowSkipped(fmt::format("model \"{}\": {}", row.model, found->note));
  }
  if (found->network.empty() || is_transformer_id(found->network, table)) return transformer_of(row, *found, table);
  RowNetwork network;
  network.name = found->network;
  network.counted_tokens = found->tokens;
  if (found->tokens > 0) network.assumed.push_back(fmt::format("{} tokens counted in a sample", found->tokens));
  return network;
}

}  // namespace orrery
