// Strict CSV, read and written. Reading: UTF-8 with or without BOM, LF or CRLF, quoted fields without newlines, `#`
// comment lines; every cell is text first and converted with a full match, so 17-digit numbers come back bit for bit.
// Blank lines are passed over; blanks around an unquoted cell do not count.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

struct CsvColumns {
  std::vector<std::string> required;
  std::vector<std::string> optional;
};

/// One line cut into cells.
struct CsvCells {
  std::string source_line;
  std::vector<std::string> texts;
  std::vector<int> columns;  // where each cell starts in the line, 1-based, in characters
};

/// Where each declared column stands in the file; nothing for an optional column that the file does not have.
using CsvColumnPlaces = std::map<std::string, std::optional<std::size_t>, std::less<>>;

/// A row being read. Asking for a column that CsvColumns did not declare is a broken promise.
class CsvRow {
 public:
  CsvRow(const CsvColumnPlaces& places, CsvCells cells, Position at, Problems& problems);

  /// Text of a cell; empty when the cell is empty or its optional column is absent.
  [[nodiscard]] const std::string& text(std::string_view column) const;
  /// Same, but an empty cell is a problem.
  const std::string& required_text(std::string_view column);
  /// A number, or nothing for an empty cell. Text that is not a finite number is a problem.
  std::optional<double> number(std::string_view column);
  double required_number(std::string_view column);  // NaN-free: 0 after recording the problem
  void problem(std::string_view column, std::string what, std::string why = {}, std::string suggestion = {});
  [[nodiscard]] const Position& at() const { return at_; }

 private:
  const CsvColumnPlaces* places_;
  CsvCells cells_;
  Position at_;
  Problems* problems_;
};

class CsvTable {
 public:
  /// Reads a file with a header row. A missing required column, an unknown or doubled column, a row with too many or
  /// too few cells, an unclosed quote, an empty file and an unreadable file are problems (recorded; the rows that can
  /// be read are, none when a required column is missing). Keep `problems` alive while the rows are read.
  static CsvTable read(const std::string& path, const CsvColumns& columns, Problems& problems);
  static CsvTable parse(std::string_view text, const std::string& name, const CsvColumns& columns, Problems& problems);
  [[nodiscard]] std::vector<CsvRow>& rows() { return rows_; }
  /// Text of the leading `# ...` comment lines, without the marks.
  [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }

 private:
  CsvTable() = default;
  std::unique_ptr<CsvColumnPlaces> places_ = std::make_unique<CsvColumnPlaces>();  // rows point to it
  std::vector<CsvRow> rows_;
  std::vector<std::string> comments_;
};

/// One cell quoted as RFC 4180 asks: only when it holds a comma, a quote or a newline (newlines become spaces), or when
/// the reader would not give it back as it is (a leading # or blanks at the ends).
std::string csv_cell(std::string_view text);
/// A whole line with its newline.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace orrery
