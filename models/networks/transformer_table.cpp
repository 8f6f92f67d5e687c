#include "models/networks/transformer_table.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

struct Column {
  std::string_view column;
  std::int64_t TransformerShape::*member;
};

constexpr std::array dimensions = {Column{"layers", &TransformerShape::layers},
                                   Column{"hidden", &TransformerShape::hidden},
                                   Column{"heads", &TransformerShape::heads},
                                   Column{"kv_heads", &TransformerShape::kv_heads},
                                   Column{"head_size", &TransformerShape::head_size},
                                   Column{"ffn", &TransformerShape::ffn},
                                   Column{"vocabulary", &TransformerShape::vocabulary},
                                   Column{"tokens", &TransformerShape::tokens},
                                   Column{"experts", &TransformerShape::experts},
                                   Column{"experts_per_token", &TransformerShape::experts_per_token},
                                   Column{"expert_ffn", &TransformerShape::expert_ffn},
                                   Column{"shared_experts", &TransformerShape::shared_experts},
                                   Column{"expert_groups", &TransformerShape::expert_groups},
                                   Column{"groups_per_token", &TransformerShape::groups_per_token},
                                   Column{"dense_layers", &TransformerShape::dense_layers},
                                   Column{"query_rank", &TransformerShape::query_rank},
                                   Column{"kv_rank", &TransformerShape::kv_rank},
                                   Column{"rope_size", &TransformerShape::rope_size},
                                   Column{"nope_size", &TransformerShape::nope_size},
                                   Column{"value_size", &TransformerShape::value_size}};

constexpr double largest = 1e7;

CsvColumns columns() {
  CsvColumns columns{{"id", "title", "style"}, {}};
  for (const Column& dimension : dimensions) columns.required.emplace_back(dimension.column);
  for (const char* column : {"tied", "dropout", "patch", "source"}) columns.required.emplace_back(column);
  return columns;
}

std::int64_t whole_number(CsvRow& row, std::string_view column) {
  const double number = row.number(column).value_or(0.0);
  if (number >= 0.0 && number <= largest && number == std::floor(number)) return static_cast<std::int64_t>(number);
  row.problem(column, fmt::format("{} is no dimension", row.text(column)),
              fmt::format("must be a whole number of at most {}", largest));
  return 0;
}

void read_tied(CsvRow& row, TransformerShape& shape) {
  const std::string& tied = row.text("tied");
  if (!tied.empty() && tied != "yes" && tied != "no") row.problem("tied", "\"" + tied + "\" is neither yes nor no");
  if (!tied.empty()) shape.tied = tied == "yes";
}

TransformerRow read_row(CsvRow& row) {
  const std::string& style = row.required_text("style");
  const std::optional<TransformerShape> made = transformer_style(style);
  if (!made && !style.empty()) {
    row.problem("style", "unknown style \"" + style + "\"", {}, did_you_mean(style, transformer_styles()));
  }
  TransformerRow read{made.value_or(TransformerShape()), 0};
  TransformerShape& shape = read.shape;
  shape.name = row.required_text("id");
  shape.title = row.required_text("title");
  shape.source = row.required_text("source");
  for (const Column& dimension : dimensions) shape.*dimension.member = whole_number(row, dimension.column);
  read.patch = whole_number(row, "patch");
  shape.dropout = row.number("dropout").value_or(0.0);
  if (shape.dropout < 0.0 || shape.dropout >= 1.0) row.problem("dropout", "must be at least 0 and below 1");
  read_tied(row, shape);
  if (style == "opt") shape.positions = shape.tokens + 2;  // its code leaves two rows of the table free
  return read;
}

std::vector<TransformerRow> read_rows(CsvTable& table) {
  std::vector<TransformerRow> rows;
  std::set<std::string> ids;
  for (CsvRow& row : table.rows()) {
    rows.push_back(read_row(row));
    const std::string& id = rows.back().shape.name;
    if (!ids.insert(id).second) row.problem("id", "\"" + id + "\" is given twice");
  }
  return rows;
}

}  // namespace

std::vector<TransformerRow> read_transformers(Problems& problems) {
  const std::filesystem::path file = data_directory() / "models" / "networks" / "transformers.csv";
  CsvTable table = CsvTable::read(file.string(), columns(), problems);
  return read_rows(table);
}

std::vector<TransformerRow> parse_transformers(std::string_view text, const std::string& file, Problems& problems) {
  CsvTable table = CsvTable::parse(text, file, columns(), problems);
  return read_rows(table);
}

LayerGraph graph_of(const TransformerRow& row) {
  if (row.patch == 0) return transformer_graph(row.shape);
  PatchShape patches;
  patches.patch = row.patch;
  return vision_transformer_graph(row.shape, patches);
}

}  // namespace orrery
