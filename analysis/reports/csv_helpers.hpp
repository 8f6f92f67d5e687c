// Cells of the CSV reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/text.hpp"
#include "sim/base/units.hpp"

namespace orrery {

using Cells = std::vector<std::string>;

template <class Tag>
std::string number(Quantity<Tag> quantity) {
  return number_text(quantity.value());
}
inline std::string number(double value) {
  return number_text(value);
}
inline std::string number(std::int64_t value) {
  return std::to_string(value);
}
/// Empty for nothing.
template <class Value>
std::string number(const std::optional<Value>& value) {
  return value ? number(*value) : std::string{};
}

}  // namespace orrery
