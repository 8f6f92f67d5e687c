// Whether a layer's numbers are still numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace orrery {

/// Neither infinities nor what is no number. Looks at all of them, so that the loop vectorises: as fast as memory.
inline bool all_finite(std::span<const float> numbers) {
  constexpr std::uint32_t exponent = 0x7f800000;  // all ones: infinite or no number
  std::uint32_t bad = 0;
  for (const float number : numbers) {
    bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(number) & exponent) == exponent);
  }
  return bad == 0;
}

}  // namespace orrery
