#include "sim/base/toml_values.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

namespace orrery {
namespace {

/// What a value is, for a message: `the string "two"`, `a table`.
std::string description(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return "the string " + toml_text(excerpt(*text, 0, 60));
  if (const auto integer = node.value_exact<std::int64_t>()) return "the integer " + toml_text(*integer);
  if (const auto number = node.value_exact<double>()) return "the number " + toml_text(*number);
  if (const auto truth = node.value_exact<bool>()) return toml_text(*truth);
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  return "a date or time";
}

std::string allowed(const Range& range) {
  const bool open = range.low_end == Range::Low::open;
  const std::string low = number_text(range.low);
  const std::string high = number_text(range.high);
  if (std::isinf(range.high)) return (open ? "must be more than " : "must be at least ") + low;
  if (std::isinf(range.low)) return "must be at most " + high;
  return open ? "must be more than " + low + " and at most " + high : "must be between " + low + " and " + high;
}

bool holds(const Range& range, double value) {
  const bool above = range.low_end == Range::Low::open ? value > range.low : value >= range.low;
  return above && value <= range.high;
}

void add(const toml::node& node, const WantedValue& wanted, std::string what, std::string why, std::string suggestion) {
  wanted.document.add(
      {position_of(node.source()), wanted.path, std::move(what), std::move(why), std::move(suggestion), {}});
}

template <class T>
std::optional<T> in_range(const toml::node& node, const WantedValue& wanted, T value) {
  if (holds(wanted.range, static_cast<double>(value))) return value;
  add(node, wanted, toml_text(value) + " is out of range", allowed(wanted.range), {});
  return std::nullopt;
}

/// "write it without quotes" when that would help, of numbers up to `largest` on either side of 0.
std::string unquote_hint(const toml::node& node, double largest = std::numeric_limits<double>::infinity()) {
  const auto text = node.value_exact<std::string>();
  const auto number = text ? parse_number(*text) : std::nullopt;
  return number && std::abs(*number) <= largest ? "write it without quotes" : "";
}

}  // namespace

void wrong_type(const toml::node& node, const WantedValue& wanted, const std::string& type, std::string suggestion) {
  add(node, wanted, "is " + description(node), type + " is wanted", std::move(suggestion));
}

void convert(const toml::node& node, const WantedValue& wanted, std::optional<std::string>& value) {
  value = node.value_exact<std::string>();
  if (value) return;
  wrong_type(node, wanted, "a string", node.is_number() ? "put it in quotes" : "");
}

void convert(const toml::node& node, const WantedValue& wanted, std::optional<double>& value) {
  const auto number = node.is_number() ? node.value<double>() : std::nullopt;
  if (number && std::isfinite(*number)) {
    value = in_range(node, wanted, *number);
  } else {
    wrong_type(node, wanted, number ? "a finite number" : "a number", unquote_hint(node));
  }
}

void convert(const toml::node& node, const WantedValue& wanted, std::optional<std::int64_t>& value) {
  if (const auto integer = node.value_exact<std::int64_t>()) {
    value = in_range(node, wanted, *integer);
    return;
  }
  constexpr double largest = 9007199254740992.0;  // 2^53: from there on a double skips integers
  const auto number = node.value_exact<double>();
  const bool whole = number && std::abs(*number) < largest && *number == std::trunc(*number);
  wrong_type(node, wanted, "an integer", whole ? fmt::format("write {:.0f}", *number) : unquote_hint(node, largest));
}

void convert(const toml::node& node, const WantedValue& wanted, std::optional<bool>& value) {
  value = node.value_exact<bool>();
  if (!value) wrong_type(node, wanted, "a truth value", "write true or false");
}

std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (code < 0x20 || code == 0x7F) {
      quoted += fmt::format("\\u{:04X}", code);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string toml_text(double value) {
  return number_text(value);
}

std::string toml_text(std::int64_t value) {
  return std::to_string(value);
}

std::string toml_text(bool value) {
  return value ? "true" : "false";
}

}  // namespace orrery
