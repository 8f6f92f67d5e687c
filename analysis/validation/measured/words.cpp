#include "analysis/validation/measured/words.hpp"

#include <algorithm>
#include <cctype>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

bool word_is(const std::string& word, std::string_view wanted) {
  if (!wanted.empty() && wanted.back() == '*') return word.rfind(wanted.substr(0, wanted.size() - 1), 0) == 0;
  return word == wanted;
}

}  // namespace

bool is_word_letter(char letter) {
  const bool is_digit = letter >= '0' && letter <= '9';
  return is_digit || letter == '.' || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

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
    const auto is_wanted = [&](const std::string& word) { return word_is(word, wanted); };
    const bool found = wanted.find('-') == std::string_view::npos ? std::any_of(words.begin(), words.end(), is_wanted)
                                                                  : has_phrase(words, wanted);
    if (found == unwanted) return false;
  }
  return true;
}

std::string without_thousands_separators(std::string_view text) {
  const auto is_digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool follows = is_digit(at + 1) && is_digit(at + 2) && is_digit(at + 3) && !is_digit(at + 4);
    if (text[at] != ',' || at == 0 || !is_digit(at - 1) || !follows) plain += text[at];
  }
  return plain;
}

std::optional<double> number_beside(std::string_view text, std::string_view word, int offset) {
  const std::vector<std::string> words = words_of(without_thousands_separators(text));
  const auto size = static_cast<std::ptrdiff_t>(words.size());
  for (std::ptrdiff_t index = 0; index < size; ++index) {
    const std::ptrdiff_t at = index + offset;
    if (words[static_cast<std::size_t>(index)] != word || at < 0 || at >= size) continue;
    if (const auto number = parse_number(words[static_cast<std::size_t>(at)])) return number;
  }
  return std::nullopt;
}

}  // namespace orrery
