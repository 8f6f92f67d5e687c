#include "analysis/validation/measured/words.hpp"

#include <algorithm>
#include <cctype>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool is_word_letter(char letter) {
  return is_digit(letter) || letter == '.' || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

bool word_is(const std::string& word, std::string_view wanted) {
  if (!wanted.empty() && wanted.back() == '*') return word.rfind(wanted.substr(0, wanted.size() - 1), 0) == 0;
  return word == wanted;
}

/// A number and where its unit begins.
struct NumberAt {
  double value = 0;
  std::size_t begin = 0, end = 0;
};

std::optional<NumberAt> number_from(std::string_view text, std::size_t from) {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!is_digit(text[begin])) continue;
    std::size_t end = begin;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    const auto value = parse_number(text.substr(begin, end - begin));
    if (value) return NumberAt{*value, begin, end};
    begin = end;
  }
  return std::nullopt;
}

std::size_t after_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

double decimal_factor(char prefix) {
  switch (prefix) {
    case 'k':
    case 'K':
      return 1e3;
    case 'M':
      return 1e6;
    case 'G':
      return 1e9;
    case 'T':
      return 1e12;
    default:
      return 0;
  }
}

double binary_factor(char prefix) {
  switch (prefix) {
    case 'K':
      return 1024.0;
    case 'M':
      return 1024.0 * 1024;
    case 'G':
      return 1024.0 * 1024 * 1024;
    case 'T':
      return 1024.0 * 1024 * 1024 * 1024;
    default:
      return 0;
  }
}

bool begins(std::string_view text, std::size_t at, std::string_view with) {
  return text.substr(std::min(at, text.size()), with.size()) == with;
}

std::optional<WrittenRate> rate_unit(std::string_view text, std::size_t at, double number) {
  if (at >= text.size() || decimal_factor(text[at]) == 0) return std::nullopt;
  const double scaled = number * decimal_factor(text[at]);
  for (const std::string_view unit : {"b/s", "bps", "bit/s", "bits/s"}) {
    if (begins(text, at + 1, unit)) return WrittenRate{scaled / 8, true};
  }
  for (const std::string_view unit : {"B/s", "Bps"}) {
    if (begins(text, at + 1, unit)) return WrittenRate{scaled, false};
  }
  return std::nullopt;
}

std::optional<double> size_unit(std::string_view text, std::size_t at, double number) {
  if (at >= text.size()) return std::nullopt;
  if (text[at] == 'B' && !begins(text, at, "B/s")) return number;
  if (binary_factor(text[at]) != 0 && begins(text, at + 1, "iB")) return number * binary_factor(text[at]);
  if (decimal_factor(text[at]) != 0 && begins(text, at + 1, "B")) return number * decimal_factor(text[at]);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char letter : text) {
    if (is_word_letter(letter)) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else {
      close();
    }
  }
  close();
  return words;
}

bool has_phrase(const std::vector<std::string>& words, std::string_view phrase) {
  const std::vector<std::string> wanted = words_of(phrase);
  return std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

bool has_words(const std::vector<std::string>& words, std::string_view pattern) {
  for (const std::string& part : split(pattern, ' ')) {
    if (part.empty()) continue;
    const bool unwanted = part.front() == '!';
    const std::string_view wanted = std::string_view(part).substr(unwanted ? 1 : 0);
    const bool found = std::any_of(words.begin(), words.end(), [&](const auto& word) { return word_is(word, wanted); });
    if (found == unwanted) return false;
  }
  return true;
}

std::optional<WrittenRate> rate_in(std::string_view text) {
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    if (const auto rate = rate_unit(text, after_blanks(text, number->end), number->value)) return rate;
  }
  return std::nullopt;
}

std::optional<double> size_in(std::string_view text) {
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    if (const auto size = size_unit(text, after_blanks(text, number->end), number->value)) return size;
  }
  return std::nullopt;
}

std::optional<double> number_beside(std::string_view text, std::string_view word, int offset) {
  const std::vector<std::string> words = words_of(text);
  const auto size = static_cast<std::ptrdiff_t>(words.size());
  for (std::ptrdiff_t index = 0; index < size; ++index) {
    const std::ptrdiff_t at = index + offset;
    if (words[static_cast<std::size_t>(index)] != word || at < 0 || at >= size) continue;
    if (const auto number = parse_number(words[static_cast<std::size_t>(at)])) return number;
  }
  return std::nullopt;
}

std::optional<int> count_in(std::string_view text) {
  for (const std::string& word : words_of(text)) {
    if (word.size() < 2 || word.back() != 'x') continue;
    const auto number = parse_number(std::string_view(word).substr(0, word.size() - 1));
    if (number && *number >= 1 && *number < 1000) return static_cast<int>(*number);
  }
  return std::nullopt;
}

}  // namespace orrery
