#include <cmath>
#include <cstddef>
#include <cstdint>

#include "models/kernels/elementary.hpp"
#include "models/kernels/makers.hpp"

namespace orrery {
namespace {

// A function says its value, its slope, and from which of the two numbers it takes the slope: a slope from the value
// needs no input, so the value may stand in the input's place.
enum class SlopeFrom : std::uint8_t { value, input };

struct Relu {
  static constexpr SlopeFrom slope_from = SlopeFrom::value;
  // Not max(x, 0): that would turn a NaN into 0 and hide a diverged network.
  static float value(float x) { return x < 0.0F ? 0.0F : x; }
  static float slope(float y) { return y > 0.0F ? 1.0F : 0.0F; }
};

struct Tanh {
  static constexpr SlopeFrom slope_from = SlopeFrom::value;
  static float value(float x) { return hyperbolic_tangent(x); }
  static float slope(float y) { return 1.0F - y * y; }
};

struct Sigmoid {
  static constexpr SlopeFrom slope_from = SlopeFrom::value;
  static float value(float x) { return logistic(x); }
  static float slope(float y) { return y * (1.0F - y); }
};

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

template <class Function>
class Activation final : public LayerKernel {
 public:
  [[nodiscard]] InPlace in_place() const override { return from_value ? InPlace::possible : InPlace::never; }
  [[nodiscard]] bool backward_reads_output() const override { return from_value; }

  // The loops are simd by decree: operands in the same memory, number by number, are no obstacle, but the compiler
  // could not know.
  void forward(const ForwardData& data) const override {
    const float* input = data.input.data();
    float* output = data.output.data();
    const std::size_t count = data.output.size();
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) output[i] = Function::value(input[i]);
  }

  void backward(const BackwardData& data) const override {
    if (data.input_update == Update::overwrite) {
      pass_back<Update::overwrite>(data);
    } else {
      pass_back<Update::add>(data);
    }
  }

 private:
  template <Update update>
  static void pass_back(const BackwardData& data) {
    const float* from = from_value ? data.output.data() : data.input.data();
    const float* gradient = data.output_gradient.data();
    float* input_gradient = data.input_gradient.data();
    const std::size_t count = data.input_gradient.size();
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) {
      const float passed = gradient[i] * Function::slope(from[i]);
      input_gradient[i] = update == Update::add ? input_gradient[i] + passed : passed;
    }
  }

  static constexpr bool from_value = Function::slope_from == SlopeFrom::value;
};

}  // namespace

std::unique_ptr<LayerKernel> make_relu(const Layer& /*layer*/) {
  return std::make_unique<Activation<Relu>>();
}
std::unique_ptr<LayerKernel> make_tanh(const Layer& /*layer*/) {
  return std::make_unique<Activation<Tanh>>();
}
std::unique_ptr<LayerKernel> make_sigmoid(const Layer& /*layer*/) {
  return std::make_unique<Activation<Sigmoid>>();
}
std::unique_ptr<LayerKernel> make_gelu(const Layer& /*layer*/) {
  return std::make_unique<Activation<Gelu>>();
}
std::unique_ptr<LayerKernel> make_silu(const Layer& /*layer*/) {
  return std::make_unique<Activation<Silu>>();
}

}  // namespace orrery
