#include "analysis/reports/text_table.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string pad(const std::string& text, std::size_t width, Align align) {
  const std::string space(width - std::min(width, character_count(text)), ' ');
  return align == Align::left ? text + space : space + text;
}

void trim_right(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

/// Removes the columns in which no row has anything, the first excepted.
void drop_empty(std::vector<TextColumn>& columns, std::vector<TextRow>& rows) {
  for (std::size_t i = columns.size(); i-- > 1;) {
    const bool used = std::any_of(rows.begin(), rows.end(),
                                  [i](const TextRow& row) { return i < row.cells.size() && !row.cells[i].empty(); });
    if (used) continue;
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (TextRow& row : rows) {
      if (i < row.cells.size()) row.cells.erase(row.cells.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

class Layout {
 public:
  Layout(std::vector<TextColumn> columns, const std::vector<TextRow>& rows, std::size_t width)
      : columns_(std::move(columns)), width_(width) {
    for (const TextRow& row : rows) ORRERY_EXPECT(!row.cells.empty() && row.cells.size() <= columns_.size());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::size_t widest = character_count(columns_[i].title);
      for (const TextRow& row : rows) {
        if (i < row.cells.size()) widest = std::max(widest, character_count(row.cells[i]));
      }
      widths_.push_back(widest);
    }
    constexpr std::size_t wide = 2;
    gap_ = total(wide) <= width ? wide : 1;
  }

  [[nodiscard]] std::string line(const std::vector<std::string>& cells) const {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text.append(gap_, ' ');
      text += pad(cells[i], widths_[i], columns_[i].align);
    }
    trim_right(text);
    return text;
  }

  [[nodiscard]] std::string header() const {
    std::vector<std::string> titles;
    for (const TextColumn& column : columns_) titles.push_back(column.title);
    return line(titles);
  }

  [[nodiscard]] std::string rule() const { return std::string(total(gap_), '-'); }

  [[nodiscard]] std::vector<std::string> sentence(const TextRow& row) const {
    const std::size_t indent = widths_.front() + gap_;
    std::vector<std::string> lines;
    for (const std::string& part : wrap(row.sentence, width_ > indent ? width_ - indent : 1)) {
      const std::string start = lines.empty() ? row.cells.front() : std::string{};
      lines.push_back(pad(start, indent, Align::left) + part);
    }
    return lines;
  }

 private:
  [[nodiscard]] std::size_t total(std::size_t gap) const {
    std::size_t sum = gap * (widths_.size() - 1);
    for (const std::size_t width : widths_) sum += width;
    return sum;
  }

  std::vector<TextColumn> columns_;
  std::vector<std::size_t> widths_;
  std::size_t gap_ = 1, width_;
};

}  // namespace

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& word : split(text, ' ')) {
    if (!lines.empty() && character_count(lines.back()) + 1 + character_count(word) <= width) {
      lines.back() += ' ' + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

std::vector<std::string> text_table(std::vector<TextColumn> columns, std::vector<TextRow> rows, std::size_t width) {
  drop_empty(columns, rows);
  const Layout layout(std::move(columns), rows, width);
  std::vector<std::string> lines = {layout.header(), layout.rule()};
  for (const TextRow& row : rows) {
    if (row.sentence.empty()) {
      lines.push_back(layout.line(row.cells));
    } else {
      for (std::string& line : layout.sentence(row)) lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::vector<std::string> named_list(const std::vector<std::pair<std::string, std::string>>& entries,
                                    std::size_t width) {
  std::size_t indent = 0;
  for (const auto& entry : entries) indent = std::max(indent, character_count(entry.first) + 2);
  std::vector<std::string> lines;
  for (const auto& [name, text] : entries) {
    std::string start = name;
    for (const std::string& part : wrap(text, width > indent ? width - indent : 1)) {
      lines.push_back(pad(start, indent, Align::left) + part);
      start.clear();
    }
  }
  for (std::string& line : lines) trim_right(line);
  return lines;
}

}  // namespace orrery
