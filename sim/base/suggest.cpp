#include "sim/base/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>
#include <vector>

namespace orrery {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

// The "optimal string alignment" form: a swapped pair counts once and is not edited again.
int edit_distance(std::string_view a, std::string_view b) {
  const std::string from = lower(a);
  const std::string to = lower(b);
  const std::size_t width = to.size() + 1;
  std::vector<int> distance((from.size() + 1) * width);
  const auto at = [&distance, width](std::size_t i, std::size_t j) -> int& { return distance[i * width + j]; };
  for (std::size_t i = 0; i <= from.size(); ++i) at(i, 0) = static_cast<int>(i);
  for (std::size_t j = 0; j <= to.size(); ++j) at(0, j) = static_cast<int>(j);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const int replace = at(i - 1, j - 1) + (from[i - 1] == to[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replace});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(from.size(), to.size());
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty()) return std::nullopt;
  const int limit = word.size() <= 3 ? 1 : 2;
  const std::string part = lower(word);
  using Rank = std::pair<int, int>;  // exact, prefix, part, edited; then the distance
  constexpr int far = 4;
  std::optional<std::string> best;
  Rank best_rank{far, 0};
  for (const std::string& candidate : candidates) {
    const int distance = edit_distance(word, candidate);
    const std::size_t at = lower(candidate).find(part);
    const bool holds = at == 0 || (at != std::string::npos && part.size() >= 3);
    const Rank rank{distance == 0 ? 0 : holds ? (at == 0 ? 1 : 2) : distance <= limit ? 3 : far, distance};
    if (rank < best_rank) {
      best = candidate;
      best_rank = rank;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates, std::string_view command) {
  if (candidates.empty()) return {};
  if (const auto near = nearest(word, candidates)) return "did you mean \"" + *near + "\"?";
  constexpr std::size_t most_shown = 12;
  if (candidates.size() > most_shown && !command.empty()) return "see `" + std::string(command) + "`";
  std::string text = "known: ";
  for (std::size_t i = 0; i < candidates.size() && i < most_shown; ++i) {
    if (i > 0) text += ", ";
    text += candidates[i];
  }
  if (candidates.size() > most_shown) text += ", ...";
  return text;
}

}  // namespace orrery
