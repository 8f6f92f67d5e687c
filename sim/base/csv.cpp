#include "sim/base/csv.hpp"

#include <libfccp/csv.h>

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

// Where a cell ends and what its quotes mean is fast-cpp-csv-parser's business. Its CSVReader is passed over: it wants
// the number of columns at compile time, reads an empty number as 0, and stops at the first error. Its LineReader too:
// it sets 48 MB aside for every file.
using Quoting = io::double_quote_escape<',', '"'>;

constexpr std::size_t most_shown = 60;  // characters of a wrong cell

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// Reads one text: the lines one by one, the header, the rows.
class CsvParser {
 public:
  CsvParser(const std::string& name, Problems& problems) : name_(name), problems_(&problems) {}

  /// Nothing when the line's quotes are wrong (recorded).
  std::optional<CsvCells> cells(const std::string& line, int line_number) {
    CsvCells cells;
    cells.source_line = line;
    std::string writable = line;  // unescaping shortens cells in place
    char* begin = writable.data();
    for (;;) {
      char* end = nullptr;
      const auto before = static_cast<std::size_t>(begin - writable.data());
      const int column = static_cast<int>(character_count(std::string_view(line).substr(0, before))) + 1;
      try {
        end = begin + (Quoting::find_next_column_end(begin) - begin);
      } catch (const io::error::escaped_string_not_closed&) {
        add(line_number, column, line, "quote is not closed", "a cell ends on the line it starts on",
            "add the missing \"");
        return std::nullopt;
      }
      const bool last = *end == '\0';
      const auto cell = cell_text(begin, end);
      if (!cell) {
        add(line_number, column, line, "text beside a quoted text", "a cell is quoted as a whole",
            "write \"\" for a quote inside quotes");
        return std::nullopt;
      }
      cells.texts.push_back(*cell);
      cells.columns.push_back(column);
      if (last) return cells;
      begin = end + 1;
    }
  }

  void header(const CsvCells& header, int line_number, const CsvColumns& columns, CsvColumnPlaces& places) {
    std::vector<std::string> known = columns.required;
    known.insert(known.end(), columns.optional.begin(), columns.optional.end());
    for (const std::string& name : known) places.emplace(name, std::nullopt);
    for (std::size_t i = 0; i < header.texts.size(); ++i) {
      const std::string& name = header.texts[i];
      const auto place = places.find(name);
      if (place == places.end()) {
        add(line_number, header.columns[i], header.source_line,
            "unknown column \"" + excerpt(name, 0, most_shown) + "\"", "", did_you_mean(name, known));
      } else if (place->second) {
        add(line_number, header.columns[i], header.source_line, "column \"" + name + "\" appears twice", "",
            "remove one of them");
      } else {
        place->second = i;
      }
    }
    for (const std::string& name : columns.required) {
      if (!places.at(name)) add(line_number, 0, header.source_line, "column \"" + name + "\" is missing", "required");
    }
  }

  /// True when a row has as many cells as the header; recorded otherwise.
  bool fits(const CsvCells& row, int line_number, std::size_t wanted) {
    if (row.texts.size() == wanted) return true;
    add(line_number, row.texts.size() > wanted ? row.columns[wanted] : 0, row.source_line,
        "row has " + plural(row.texts.size(), "cell"), "the header has " + plural(wanted, "column"));
    return false;
  }

  void add(int line, int column, std::string source_line, std::string what, std::string why = {},
           std::string suggestion = {}) {
    problems_->add(
        {{name_, line, column}, {}, std::move(what), std::move(why), std::move(suggestion), std::move(source_line)});
  }

 private:
  /// The text of the cell between two places of a line, less its quotes; nothing when quotes stand inside the text.
  static std::optional<std::string> cell_text(char* begin, char* end) {
    const std::string_view raw = trim({begin, static_cast<std::size_t>(end - begin)});
    if (raw.find('"') == std::string_view::npos) return std::string(raw);
    if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
    char* first = begin + (raw.data() - begin);
    char* last = first + raw.size();
    // `"a"b"c"` starts and ends with quotes, but closes in between.
    for (const char* c = first + 1; c + 1 < last; ++c) {
      if (*c == '"' && (++c + 1 >= last || *c != '"')) return std::nullopt;
    }
    Quoting::unescape(first, last);
    return std::string(first, last);
  }

  std::string name_;
  Problems* problems_;
};

}  // namespace

CsvRow::CsvRow(const CsvColumnPlaces& places, CsvCells cells, Position at, Problems& problems)
    : places_(&places), cells_(std::move(cells)), at_(std::move(at)), problems_(&problems) {}

const std::string& CsvRow::text(std::string_view column) const {
  static const std::string nothing;
  const auto place = places_->find(column);
  ORRERY_EXPECT(place != places_->end());
  return place->second ? cells_.texts[*place->second] : nothing;
}

const std::string& CsvRow::required_text(std::string_view column) {
  const std::string& cell = text(column);
  if (cell.empty()) problem(column, "cell is empty", "required");
  return cell;
}

std::optional<double> CsvRow::number(std::string_view column) {
  const std::string& cell = text(column);
  if (cell.empty()) return std::nullopt;
  const auto value = parse_number(cell);
  if (!value)
    problem(column, "\"" + excerpt(cell, 0, most_shown) + "\" is not a number",
            "a finite decimal number is wanted, such as 1.5e9");
  return value;
}

double CsvRow::required_number(std::string_view column) {
  if (required_text(column).empty()) return 0.0;
  return number(column).value_or(0.0);
}

void CsvRow::problem(std::string_view column, std::string what, std::string why, std::string suggestion) {
  Position at = at_;
  const auto place = places_->find(column);
  if (place != places_->end() && place->second) at.column = cells_.columns[*place->second];
  problems_->add({at, std::string(column), std::move(what), std::move(why), std::move(suggestion), cells_.source_line});
}

CsvTable CsvTable::read(const std::string& path, const CsvColumns& columns, Problems& problems) {
  const auto text = read_input(path, problems);
  return text ? parse(*text, path, columns, problems) : CsvTable();
}

CsvTable CsvTable::parse(std::string_view text, const std::string& name, const CsvColumns& columns,
                         Problems& problems) {
  CsvTable table;
  CsvParser parser(name, problems);
  if (text.find('\0') != std::string_view::npos) {
    parser.add(0, 0, {}, "is not a text file", "it holds a zero byte");
    return table;
  }
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::optional<CsvCells> header;
  std::vector<std::string> lines = split(text, '\n');
  int line_number = 0;
  for (std::string& line : lines) {
    ++line_number;
    if (line.ends_with('\r')) line.pop_back();
    if (trim(line).empty()) continue;
    if (line.starts_with('#')) {
      if (!header) table.comments_.emplace_back(trim(std::string_view(line).substr(1)));
      continue;
    }
    auto cells = parser.cells(line, line_number);
    if (!header) {
      if (!cells) return table;
      header = std::move(cells);
      parser.header(*header, line_number, columns, *table.places_);
      const auto absent = [&table](const std::string& column) { return !table.places_->at(column); };
      if (std::any_of(columns.required.begin(), columns.required.end(), absent)) return table;
    } else if (cells && parser.fits(*cells, line_number, header->texts.size())) {
      table.rows_.emplace_back(*table.places_, std::move(*cells), Position{name, line_number, 1}, problems);
    }
  }
  if (!header) {
    parser.add(0, 0, {}, "is empty", "a header row is wanted", "start with: " + join(columns.required, ","));
  }
  return table;
}

std::string csv_cell(std::string_view text) {
  std::string cell;
  bool quoted = text.starts_with('#') || trim(text).size() != text.size();  // else read as a comment, or trimmed
  for (const char c : text) {
    quoted = quoted || c == ',' || c == '"' || c == '\n' || c == '\r';
    if (c == '"') cell += '"';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return quoted ? '"' + cell + '"' : cell;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += csv_cell(cells[i]);
  }
  return line + '\n';
}

}  // namespace orrery
