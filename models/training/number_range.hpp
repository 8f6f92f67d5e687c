// A run of numbers in a flat vector.
#pragma once

#include <cstddef>
#include <span>

namespace orrery {

/// Numbers [first, first + count).
struct NumberRange {
  std::size_t first = 0, count = 0;
  bool operator==(const NumberRange&) const = default;
  template <class Number>
  [[nodiscard]] std::span<Number> of(std::span<Number> all) const {
    return all.subspan(first, count);
  }
};

}  // namespace orrery
