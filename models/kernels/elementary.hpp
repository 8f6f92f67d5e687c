// Elementary functions of one number, written so that a compiler can turn a loop over them into vector instructions:
// no branches, no calls, no tables. Their bits do not depend on where in a loop a number stands. NaN gives NaN.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace orrery {

/// exp(x), relative error below 2e-7; 0 below -87.3 (where results are denormal), 1.6e38 above 88. Method and
/// coefficients: S. L. Moshier, Cephes Mathematical Library, expf: x = n ln 2 + r, a polynomial in r, n into the
/// exponent.
inline float exponential(float x) {
  constexpr float highest = 88.0F, lowest = -87.3F;
  constexpr float log2_e = 1.44269504088896341F, ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: added, it leaves the nearest integer in the last bits
  const float bounded = x > highest ? highest : (x < lowest ? lowest : x);
  const float shifted = bounded * log2_e + to_integer;
  const float n = shifted - to_integer;
  const float r = (bounded - n * ln2_high) - n * ln2_low;
  float series = 1.9875691500e-4F;
  series = series * r + 1.3981999507e-3F;
  series = series * r + 8.3334519073e-3F;
  series = series * r + 4.1665795894e-2F;
  series = series * r + 1.6666665459e-1F;
  series = series * r + 5.0000001201e-1F;
  const float mantissa = series * r * r + r + 1.0F;
  const auto power = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23U) + 0x3F800000U);
  return x < lowest ? 0.0F : mantissa * power;
}

/// 1 / (1 + exp(-x)), error below 2e-7.
inline float logistic(float x) {
  return 1.0F / (1.0F + exponential(-x));
}

/// tanh(x), relative error below 3e-7. Coefficients near 0: Moshier, Cephes, tanhf; elsewhere 1 - 2 / (exp(2 |x|) + 1).
inline float hyperbolic_tangent(float x) {
  const float size = std::abs(x), square = x * x;
  float series = -5.70498872745e-3F;
  series = series * square + 2.06390887954e-2F;
  series = series * square - 5.37397155531e-2F;
  series = series * square + 1.33314422036e-1F;
  series = series * square - 3.33332819422e-1F;
  const float near = series * square * x + x;
  const float far = std::copysign(1.0F - 2.0F / (exponential(2.0F * size) + 1.0F), x);
  return size < 0.625F ? near : far;
}

/// The normal distribution beyond |x|: tail = 1 - Phi(|x|), and exp(-x^2 / 2), which it is made from.
struct NormalTail {
  float tail = 0, bell = 0;
};

/// Error of the tail below 3e-7, mostly rounding. Abramowitz and Stegun 1964, formula 7.1.26: erfc(z) = (a1 t + ... +
/// a5 t^5) exp(-z^2), t = 1 / (1 + p z), within 1.5e-7; Phi(-|x|) = erfc(|x| / sqrt(2)) / 2.
inline NormalTail normal_tail(float x) {
  constexpr float p = 0.3275911F, sqrt_half = 0.70710678118654752F;
  const float t = 1.0F / (1.0F + p * sqrt_half * std::abs(x));
  float series = 1.061405429F;
  series = series * t - 1.453152027F;
  series = series * t + 1.421413741F;
  series = series * t - 0.284496736F;
  series = series * t + 0.254829592F;
  const float bell = exponential(-0.5F * x * x);
  return {0.5F * series * t * bell, bell};
}

}  // namespace orrery
