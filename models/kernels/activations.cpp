#include <cmath>
#include <cstddef>
#include <cstdint>

#include "models/kernels/activation_functions.hpp"
#include "models/kernels/makers.hpp"

namespace orrery {
namespace {

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
