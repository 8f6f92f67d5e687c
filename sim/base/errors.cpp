#include "sim/base/errors.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// The line and, when the column is known, a caret under it; of a long line only the neighbourhood of the column.
std::string shown_line(const std::string& line, int column) {
  constexpr std::size_t most_shown = 120;
  constexpr std::size_t before_caret = 60;
  const auto at = static_cast<std::size_t>(column > 0 ? column - 1 : 0);
  const std::size_t first = at > most_shown ? at - before_caret : 0;
  const std::string shown = excerpt(line, first, most_shown);
  std::string text = "\n  " + shown;
  if (column == 0) return text;
  text += "\n  ";
  std::size_t blanks = at - first + (first > 0 ? std::string_view("...").size() : 0);
  for (std::size_t i = 0; i < shown.size() && blanks > 0; ++i) {
    if (character_count({&shown[i], 1}) == 0) continue;  // takes no room of its own
    text += shown[i] == '\t' ? '\t' : ' ';
    --blanks;
  }
  return text + '^';
}

std::string position_text(const Position& at) {
  std::string text = at.file;
  if (at.line > 0) {
    text += ":" + std::to_string(at.line);
    if (at.column > 0) text += ":" + std::to_string(at.column);
  }
  return text;
}

std::string all_texts(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += to_text(problem);
  }
  return text;
}

}  // namespace

std::string to_text(const Problem& problem) {
  std::string text = position_text(problem.at);
  for (const std::string& part : {problem.key, problem.what}) {
    if (part.empty()) continue;
    if (!text.empty()) text += ": ";
    text += part;
  }
  if (!problem.why.empty()) text += " (" + problem.why + ")";
  if (!problem.suggestion.empty()) text += " - " + problem.suggestion;
  if (!problem.source_line.empty()) text += shown_line(problem.source_line, problem.at.column);
  return text;
}

InvalidInput::InvalidInput(std::vector<Problem> problems)
    : std::runtime_error(all_texts(problems)), problems_(std::move(problems)) {}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<Problem> ordered = problems_;
  std::stable_sort(ordered.begin(), ordered.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.at.file, a.at.line, a.at.column) < std::tie(b.at.file, b.at.line, b.at.column);
  });
  // A value that is read in two places is wrong in both; the user needs to hear of it once.
  std::set<std::string> seen;
  std::erase_if(ordered, [&seen](const Problem& problem) { return !seen.insert(to_text(problem)).second; });
  throw InvalidInput(std::move(ordered));
}

}  // namespace orrery
