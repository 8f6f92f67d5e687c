// Rounding to bfloat16, bit by bit.
#include "models/kernels/bfloat16.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/catch.hpp"

namespace orrery {
namespace {

std::uint32_t rounded_bits(std::uint32_t bits) {
  return std::bit_cast<std::uint32_t>(round_to_bf16(std::bit_cast<float>(bits)));
}

struct Rounding {
  std::uint32_t from, to;
};

TEST_CASE("float32 rounds to the nearest bfloat16, ties to even") {
  const std::vector<Rounding> table = {
      {0x3f800000, 0x3f800000},                            // 1 is a bfloat16
      {0x3f807fff, 0x3f800000},                            // just below the middle: down
      {0x3f808000, 0x3f800000},                            // the middle: down to the even one
      {0x3f808001, 0x3f810000},                            // just above: up
      {0x3f818000, 0x3f820000},                            // the middle above an odd one: up to the even one
      {0xbf808000, 0xbf800000},                            // the same below zero
      {0xbf818000, 0xbf820000}, {0x3fffffff, 0x40000000},  // carries into the exponent
  };
  for (const Rounding& row : table) {
    CAPTURE(row.from);
    CHECK(rounded_bits(row.from) == row.to);
  }
}

TEST_CASE("the ends of the range: zeros, denormals, the largest, infinities, no number") {
  const std::vector<Rounding> table = {
      {0x00000000, 0x00000000}, {0x80000000, 0x80000000},  // zeros keep their sign
      {0x00000001, 0x00000000}, {0x00008000, 0x00000000},  // a tie with zero: zero is even
      {0x00008001, 0x00010000},                            // the smallest denormal bfloat16
      {0x00018000, 0x00020000}, {0x807fffff, 0x80800000},  // a denormal becomes the smallest normal number
      {0x7f7f7fff, 0x7f7f0000},                            // the largest that stays finite
      {0x7f7f8000, 0x7f800000}, {0x7f7fffff, 0x7f800000},  // from there on: infinite
      {0x7f800000, 0x7f800000}, {0xff800000, 0xff800000},  // infinities
      {0x7f800001, 0x7fc00000},                            // a NaN whose upper bits say infinity stays a NaN
      {0xffffffff, 0xffff0000}, {0x7fc00000, 0x7fc00000},
  };
  for (const Rounding& row : table) {
    CAPTURE(row.from);
    CHECK(rounded_bits(row.from) == row.to);
  }
}

TEST_CASE("rounding again changes nothing, and is never further away than half a step") {
  for (std::uint32_t bits = 1; bits < 0x7f7f8000; bits += 9973) {
    const auto number = std::bit_cast<float>(bits);
    const float once = round_to_bf16(number);
    REQUIRE(round_to_bf16(once) == once);
    // A step is 2^-7 of the power of two below the number, at least the smallest denormal, 2^-133.
    const double step = std::max(std::ldexp(1.0, -133), std::ldexp(1.0, std::ilogb(number) - 7));
    const double distance = std::abs(static_cast<double>(once) - static_cast<double>(number));
    REQUIRE(distance <= step / 2);
  }
}

TEST_CASE("many numbers round as each of them") {
  std::vector<float> numbers(37), rounded(37);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 1.0F / static_cast<float>(i);
  round_to_bf16(std::span<const float>(numbers), rounded);
  for (std::size_t i = 0; i < numbers.size(); ++i) CHECK(rounded[i] == round_to_bf16(numbers[i]));
  round_to_bf16(numbers);
  CHECK(numbers == rounded);
}

}  // namespace
}  // namespace orrery
