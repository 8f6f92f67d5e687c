// Functions of one number and their slopes, for activations and for the gates made of them.
#pragma once

#include <cmath>
#include <cstdint>

#include "models/kernels/elementary.hpp"

namespace orrery {

// A function says its value, its slope, and from which of the two numbers it takes the slope: a slope from the value
// needs no input, so the value may stand in the input's place.
enum class SlopeFrom : std::uint8_t { value, input };

// Hendrycks and Gimpel 2016, x Phi(x) in the exact form (not by tanh): with q the normal tail beyond |x|, x Phi(x) is
// x (1 - q) for positive x and x q for negative x, so max(x, 0) - |x| q for both.
struct Gelu {
  static constexpr SlopeFrom slope_from = SlopeFrom::input;
  static float value(float x) {
    const float size = std::abs(x);
    return 0.5F * (x + size) - size * normal_tail(x).tail;
  }
  static float slope(float x) {  // Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)
    constexpr float inverse_sqrt_2pi = 0.39894228040143268F;
    const NormalTail normal = normal_tail(x);
    return (x < 0.0F ? normal.tail : 1.0F - normal.tail) + x * (inverse_sqrt_2pi * normal.bell);
  }
};

// Elfwing et al. 2018; the slope is s (1 + x (1 - s)) with s the logistic function.
struct Silu {
  static constexpr SlopeFrom slope_from = SlopeFrom::input;
  static float value(float x) { return x * logistic(x); }
  static float slope(float x) {
    const float s = logistic(x);
    return s + x * (s * (1.0F - s));
  }
};

}  // namespace orrery
