// A constant that was measured or assumed, with the range in which it lies.
#pragma once

namespace orrery {

/// low <= value <= high; equal when nothing is known of the range.
struct Ranged {
  double value = 0, low = 0, high = 0;
  constexpr Ranged() = default;
  constexpr explicit Ranged(double exact) : value(exact), low(exact), high(exact) {}
  constexpr Ranged(double middle, double lowest, double highest) : value(middle), low(lowest), high(highest) {}
  bool operator==(const Ranged&) const = default;
  friend constexpr Ranged operator*(const Ranged& range, double factor) {  // factor >= 0
    return {range.value * factor, range.low * factor, range.high * factor};
  }
};

}  // namespace orrery
