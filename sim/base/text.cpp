#include "sim/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace orrery {
namespace {

// The bytes 10xxxxxx continue a UTF-8 character that another byte began.
bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// Byte at which the 0-based character stands, or the end of the text.
std::size_t offset_of(std::string_view text, std::size_t character) {
  std::size_t begun = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && begun++ == character) return i;
  }
  return text.size();
}

}  // namespace

std::string number_text(double value) {
  // Below 1e15 every integer is written in full: "1000000", not the shorter "1e+06".
  constexpr double largest_plain_integer = 1e15;
  const bool plain = std::abs(value) < largest_plain_integer && value == std::trunc(value);
  std::array<char, 32> buffer{};
  const auto end = plain ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed)
                         : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string excerpt(std::string_view text, std::size_t first, std::size_t most) {
  const std::size_t begin = offset_of(text, first);
  const std::size_t end = offset_of(text, first + most);
  std::string shown(text.substr(begin, end - begin));
  if (begin > 0) shown.insert(0, "...");
  if (end < text.size()) shown += "...";
  return shown;
}

}  // namespace orrery
