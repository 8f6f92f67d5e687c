// Columns of text, aligned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace orrery {

enum class Align : std::uint8_t { left, right };

struct TextColumn {
  std::string title;
  Align align = Align::right;
};

/// A row of cells, or one sentence after its first cell.
struct TextRow {
  std::vector<std::string> cells;
  std::string sentence;  // if not empty, cells holds the first cell only
};

/// A header line, a rule and the rows. Columns without any cell are left out; two spaces between columns, one when the
/// line would be wider than `width`. Sentences are wrapped at `width`. Lines have no spaces at their end.
std::vector<std::string> text_table(std::vector<TextColumn> columns, std::vector<TextRow> rows, std::size_t width);

/// Names and what there is to say of each, under each other and wrapped at `width`: a line of an entry that is not its
/// first begins below the text.
std::vector<std::string> named_list(const std::vector<std::pair<std::string, std::string>>& entries, std::size_t width);

/// Cuts a text at its spaces into lines of at most `width` characters (longer words stay whole).
std::vector<std::string> wrap(const std::string& text, std::size_t width);

}  // namespace orrery
