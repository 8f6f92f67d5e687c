#include "analysis/validation/measured/measured_row.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

struct TextColumnOf {
  const char* name;
  std::string MeasuredRow::*member;
};
constexpr TextColumnOf text_columns[] = {
    {"source", &MeasuredRow::source},         {"table", &MeasuredRow::table},
    {"model", &MeasuredRow::model},           {"precision", &MeasuredRow::precision},
    {"recompute", &MeasuredRow::recompute},   {"device", &MeasuredRow::device},
    {"intra_link", &MeasuredRow::intra_link}, {"inter_link", &MeasuredRow::inter_link},
    {"zero_stage", &MeasuredRow::zero_stage}, {"seq_parallel", &MeasuredRow::seq_parallel},
    {"notes", &MeasuredRow::notes},           {"source_checked", &MeasuredRow::source_checked}};

struct CountColumnOf {
  const char* name;
  std::optional<std::int64_t> MeasuredRow::*member;
};
constexpr CountColumnOf count_columns[] = {{"layers", &MeasuredRow::layers},
                                           {"hidden", &MeasuredRow::hidden},
                                           {"heads", &MeasuredRow::heads},
                                           {"kv_heads", &MeasuredRow::kv_heads},
                                           {"ffn_hidden", &MeasuredRow::ffn_hidden},
                                           {"vocab", &MeasuredRow::vocab},
                                           {"seq_len", &MeasuredRow::seq_len},
                                           {"global_batch", &MeasuredRow::global_batch},
                                           {"micro_batch", &MeasuredRow::micro_batch},
                                           {"devices", &MeasuredRow::devices},
                                           {"devices_per_node", &MeasuredRow::devices_per_node},
                                           {"tp", &MeasuredRow::tp},
                                           {"pp", &MeasuredRow::pp},
                                           {"dp", &MeasuredRow::dp},
                                           {"cp", &MeasuredRow::cp},
                                           {"ep", &MeasuredRow::ep},
                                           {"interleave", &MeasuredRow::interleave}};

CsvColumns measured_columns() {
  CsvColumns columns{{"id", "metric", "value", "unit"}, {"group", "year", "params_b"}};
  for (const TextColumnOf& column : text_columns) columns.optional.emplace_back(column.name);
  for (const CountColumnOf& column : count_columns) columns.optional.emplace_back(column.name);
  return columns;
}

constexpr double largest_count = 1e12;

void read_count(CsvRow& row, const CountColumnOf& column, MeasuredRow& measured) {
  const std::string& text = row.text(column.name);
  if (text.empty()) return;
  const auto number = parse_number(text);
  if (!number) {
    measured.in_words.emplace_back(column.name, text);
  } else if (*number < 1 || *number > largest_count || *number != std::floor(*number)) {
    row.problem(column.name, "\"" + text + "\" is no count", "it counts things", "give a whole number of at least 1");
  } else {
    measured.*column.member = static_cast<std::int64_t>(*number);
  }
}

std::optional<double> positive_or_nothing(CsvRow& row, const char* column) {
  const auto number = row.number(column);
  if (!number || *number > 0) return number;
  row.problem(column, "\"" + row.text(column) + "\" is not above 0", {}, "leave the cell empty where it is not known");
  return std::nullopt;
}

MeasuredRow row_of(CsvRow& row) {
  MeasuredRow measured;
  measured.id = row.required_text("id");
  measured.set = set_of(measured.id);
  measured.metric = row.required_text("metric");
  measured.unit = row.required_text("unit");
  measured.value = row.required_number("value");
  measured.year = positive_or_nothing(row, "year");
  measured.params_b = positive_or_nothing(row, "params_b");
  for (const TextColumnOf& column : text_columns) measured.*column.member = row.text(column.name);
  for (const CountColumnOf& column : count_columns) read_count(row, column, measured);
  return measured;
}

/// `before`: problems that were there before the table was read.
std::vector<MeasuredRow> rows_of(CsvTable& table, const std::string& name, std::size_t before, Problems& problems) {
  if (table.rows().empty() && problems.all().size() == before) {
    problems.add(
        {{name, 0, 0}, {}, "has no rows", "a header alone measures nothing", "write a measurement to each line", {}});
  }
  std::vector<MeasuredRow> rows;
  std::map<std::string, int> line_of;
  for (CsvRow& row : table.rows()) {
    rows.push_back(row_of(row));
    const auto [first, is_new] = line_of.emplace(rows.back().id, row.at().line);
    if (is_new || rows.back().id.empty()) continue;
    row.problem("id", "\"" + rows.back().id + "\" stands twice", "first in line " + std::to_string(first->second),
                "give each row an id of its own");
  }
  return rows;
}

}  // namespace

std::string_view MeasuredRow::words(std::string_view column) const {
  for (const auto& [name, text] : in_words) {
    if (name == column) return text;
  }
  return {};
}

std::string set_of(std::string_view id) {
  const std::size_t first = id.find('-');
  if (first == std::string_view::npos) return std::string(id);
  return std::string(id.substr(0, id.find('-', first + 1)));
}

std::vector<MeasuredRow> read_measured_rows(const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  CsvTable table = CsvTable::read(file, measured_columns(), problems);
  return rows_of(table, file, before, problems);
}

std::vector<MeasuredRow> parse_measured_rows(std::string_view text, const std::string& name, Problems& problems) {
  const std::size_t before = problems.all().size();
  CsvTable table = CsvTable::parse(text, name, measured_columns(), problems);
  return rows_of(table, name, before, problems);
}

std::string shipped_measured_rows() {
  return (data_directory() / "analysis" / "validation" / "measured.csv").string();
}

}  // namespace orrery
