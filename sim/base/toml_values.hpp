// Inside of the TOML reader: one TOML value to one C++ value, and what is said when it cannot be. Nobody else includes
// this.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/text.hpp"
#include "sim/base/toml_document.hpp"

namespace orrery {

/// What a value must be and where it stands, for the messages.
struct WantedValue {
  TomlDocument::Impl& document;
  std::string path;
  Range range = any_number;
};

/// Records that a value is not of the wanted type (`type` with its article).
void wrong_type(const toml::node& node, const WantedValue& wanted, const std::string& type, std::string suggestion);

/// Gives `value` the node's value; when it is of another type or out of range, records that and leaves it empty.
void convert(const toml::node& node, const WantedValue& wanted, std::optional<std::string>& value);
void convert(const toml::node& node, const WantedValue& wanted, std::optional<double>& value);
void convert(const toml::node& node, const WantedValue& wanted, std::optional<std::int64_t>& value);
void convert(const toml::node& node, const WantedValue& wanted, std::optional<bool>& value);

/// Same for an array, element by element: what is left after a problem are the good elements.
template <class T>
void convert(const toml::node& node, const WantedValue& wanted, std::optional<std::vector<T>>& values) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) return wrong_type(node, wanted, "an array", "put it in [ ]");
  values.emplace();
  for (std::size_t i = 0; i < array->size(); ++i) {
    std::optional<T> value;
    convert((*array)[i], {wanted.document, wanted.path + "[" + std::to_string(i) + "]", wanted.range}, value);
    if (value) values->push_back(*value);
  }
}

/// A value as TOML text that reads back as the same value.
std::string toml_text(std::string_view text);
std::string toml_text(double value);
std::string toml_text(std::int64_t value);
std::string toml_text(bool value);

template <class T>
std::string toml_text(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(toml_text(value));
  return "[" + join(texts, ", ") + "]";
}

}  // namespace orrery
