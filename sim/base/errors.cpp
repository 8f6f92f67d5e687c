#include "sim/base/errors.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace orrery {
namespace {

// Columns count characters, so the bytes that continue a UTF-8 character take no room; tabs stay tabs to line up.
std::string caret_line(const std::string& source_line, int column) {
  std::string caret;
  int characters = 0;
  for (const char c : source_line) {
    const bool continues_character = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (continues_character) continue;
    if (++characters == column) break;
    caret += c == '\t' ? '\t' : ' ';
  }
  return caret + '^';
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
  if (!problem.source_line.empty()) {
    text += "\n  " + problem.source_line;
    if (problem.at.column > 0) text += "\n  " + caret_line(problem.source_line, problem.at.column);
  }
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
