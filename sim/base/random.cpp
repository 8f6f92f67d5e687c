#include "sim/base/random.hpp"

#include <cmath>
#include <numbers>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves about half of the output bits, so that
// neighbouring seeds and indices give unrelated generators.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

// FNV-1a, 64 bit (Fowler, Noll, Vo): std::hash would differ between standard libraries.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace

Random Random::derived(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  return Random(mixed(mixed(mixed(seed) ^ name_hash(purpose)) ^ index));
}

double Random::uniform() {
  // The upper 53 bits are all that a double in [0, 1) can hold.
  return static_cast<double>(bits() >> 11U) * 0x1.0p-53;
}

double Random::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::size_t Random::below(std::size_t bound) {
  ORRERY_EXPECT(bound > 0);
  // 2^64 mod bound numbers are left out, so that every remainder is equally likely.
  const std::uint64_t left_out = (0 - static_cast<std::uint64_t>(bound)) % bound;
  std::uint64_t drawn = bits();
  while (drawn < left_out) drawn = bits();
  return static_cast<std::size_t>(drawn % bound);
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u is never 0
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::gamma(double shape) {
  ORRERY_EXPECT(shape > 0.0);
  if (shape < 1.0) {
    // Marsaglia and Tsang 2000, section 6: gamma(shape) = gamma(shape + 1) * u^(1/shape).
    const double above_one = gamma(shape + 1.0);
    return above_one * std::pow(1.0 - uniform(), 1.0 / shape);
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3.0);
    if (v > 0.0 && std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace orrery
