#include "analysis/validation/measured/quantities.hpp"

#include <algorithm>
#include <iterator>

#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
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

/// A size is no part of a rate or of a longer word.
bool ends_size(std::string_view text, std::size_t at) {
  return at >= text.size() || (!is_word_letter(text[at]) && text[at] != '/');
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

bool ends_word(std::string_view text, std::size_t at) {
  return at >= text.size() || !is_word_letter(text[at]);
}

/// "GbE", "Gbit", "Gb" or "G" alone.
std::optional<WrittenRate> bare_rate_unit(std::string_view text, std::size_t at, double number) {
  if (!begins(text, at, "G") && !begins(text, at, "g")) return std::nullopt;
  for (const std::string_view unit : {"bE", "be", "BE", "Be", "bit", "bps", "b", ""}) {
    if (begins(text, at + 1, unit) && ends_word(text, at + 1 + unit.size())) return WrittenRate{number * 1e9 / 8, true};
  }
  return std::nullopt;
}

constexpr std::string_view infiniband_generations[] = {"qdr", "fdr", "edr", "hdr", "ndr", "xdr"};

bool is_generation(std::string_view word) {
  return std::any_of(std::begin(infiniband_generations), std::end(infiniband_generations),
                     [word](std::string_view generation) { return word.rfind(generation, 0) == 0; });
}

/// Bytes of the unit that stands there as a word of its own.
std::optional<double> size_unit(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::nullopt;
  if (text[at] == 'B' && ends_size(text, at + 1)) return 1;
  if (binary_factor(text[at]) != 0 && begins(text, at + 1, "iB") && ends_size(text, at + 3)) {
    return binary_factor(text[at]);
  }
  if (decimal_factor(text[at]) != 0 && begins(text, at + 1, "B") && ends_size(text, at + 2)) {
    return decimal_factor(text[at]);
  }
  if (binary_factor(text[at]) != 0 && ends_size(text, at + 1)) return binary_factor(text[at]);
  return std::nullopt;
}

/// Whether the number that begins there is all of it: no sign and no part of a longer one ("1,024", "1e6"). The dash of
/// a range is no sign.
bool begins_number(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  const bool follows_digit = at > 1 && is_digit(text[at - 2]);
  if (before == '-') return follows_digit;
  if (before == ',') return !follows_digit;
  return before == ' ' || before == '(' || before == ':' || before == '~';
}

constexpr std::string_view times = "×";

/// Length of the sign of multiplication that stands there: x, X or ×.
std::size_t times_sign(std::string_view text, std::size_t at) {
  if (begins(text, at, times)) return times.size();
  return begins(text, at, "x") || begins(text, at, "X") ? 1 : 0;
}

std::optional<int> as_count(double number) {
  constexpr double most = 1000;
  if (number < 1 || number >= most || number != static_cast<int>(number)) return std::nullopt;
  return static_cast<int>(number);
}

/// Whether what stands behind "8x" is counted by it: a word, or a rate; another count is none.
bool is_counted(std::string_view text, std::size_t at) {
  if (ends_word(text, at)) {
    at = after_blanks(text, at);
    if (at >= text.size() || !is_digit(text[at])) return true;
  }
  if (is_digit(text[at])) {
    const auto rate = number_from(text, at);
    const std::size_t unit = rate ? after_blanks(text, rate->end) : text.size();
    return rate && (rate_unit(text, unit, 1) || bare_rate_unit(text, unit, 1));
  }
  return is_generation(words_of(text.substr(at)).front());
}

/// "8x ...", with the number at the beginning of a word.
std::optional<int> count_before_sign(std::string_view text, const NumberAt& number) {
  if (number.begin > 0 && is_word_letter(text[number.begin - 1])) return std::nullopt;
  const std::size_t at = after_blanks(text, number.end), sign = times_sign(text, at);
  return sign > 0 && is_counted(text, at + sign) ? as_count(number.value) : std::nullopt;
}

/// "x8 ...", as a word.
std::optional<int> count_behind_sign(std::string_view text, const NumberAt& number) {
  const std::string_view before = text.substr(0, number.begin);
  const std::size_t sign = before.ends_with(times) ? times.size() : before.ends_with('x') || before.ends_with('X');
  const std::string_view rest = before.substr(0, before.size() - sign);
  const bool is_word = rest.empty() || rest.back() == ' ' || rest.back() == '(' || rest.back() == ',';
  if (sign == 0 || !is_word || !ends_word(text, number.end)) return std::nullopt;
  return has_words(words_of(rest), "pcie*") ? std::nullopt : as_count(number.value);
}

}  // namespace

std::optional<WrittenRate> rate_in(std::string_view text) {
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    if (const auto rate = rate_unit(text, after_blanks(text, number->end), number->value)) return rate;
  }
  return std::nullopt;
}

std::optional<WrittenRate> network_rate_in(std::string_view text) {
  if (const auto rate = rate_in(text)) return rate;
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    if (const auto rate = bare_rate_unit(text, after_blanks(text, number->end), number->value)) return rate;
  }
  return std::nullopt;
}

std::optional<WrittenRate> generation_rate_in(std::string_view text) {
  for (const std::string& word : words_of(text)) {
    const auto behind = is_generation(word) ? parse_number(std::string_view(word).substr(3)) : std::nullopt;
    if (behind && *behind >= 1) return WrittenRate{*behind * 1e9 / 8, true};
  }
  return std::nullopt;
}

std::optional<double> size_in(std::string_view text) {
  std::optional<double> found;
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    const auto unit = size_unit(text, after_blanks(text, number->end));
    if (!unit) continue;
    if (found || !begins_number(text, number->begin)) return std::nullopt;
    found = number->value * *unit;
  }
  return found;
}

std::optional<int> count_in(std::string_view text) {
  for (auto number = number_from(text, 0); number; number = number_from(text, number->end)) {
    if (const auto count = count_before_sign(text, *number)) return count;
    if (const auto count = count_behind_sign(text, *number)) return count;
  }
  return std::nullopt;
}

}  // namespace orrery
