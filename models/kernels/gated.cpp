#include "models/kernels/activation_functions.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Gate and value side by side: y = f(a) b. da = f'(a) b dy, db = f(a) dy (Shazeer 2020, GLU Variants Improve
/// Transformer).
template <class Function>
class Gated final : public LayerKernel {
 public:
  explicit Gated(const Layer& layer) : channels_(layer.out.channels), positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(layer.in.channels == 2 * channels_);
    ORRERY_EXPECT(layer.out.height == layer.in.height && layer.out.width == layer.in.width);
  }

  void forward(const ForwardData& data) const override {
    const float* gate = data.input.data();
    float* output = data.output.data();
    for (std::int64_t column = data.samples * positions_; column > 0; --column) {
      const float* value = gate + channels_;
#pragma omp simd
      for (std::int64_t i = 0; i < channels_; ++i) output[i] = Function::value(gate[i]) * value[i];
      gate += 2 * channels_;
      output += channels_;
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      pass_back<Update::overwrite>(data);
    } else {
      pass_back<Update::add>(data);
    }
  }

 private:
  template <Update update>
  void pass_back(const BackwardData& data) const {
    const float *gate = data.input.data(), *gradient = data.output_gradient.data();
    float* to = data.input_gradient.data();
    for (std::int64_t column = data.samples * positions_; column > 0; --column) {
      const float* value = gate + channels_;
      float* to_value = to + channels_;
#pragma omp simd
      for (std::int64_t i = 0; i < channels_; ++i) {
        const float of_gate = gradient[i] * value[i] * Function::slope(gate[i]);
        const float of_value = gradient[i] * Function::value(gate[i]);
        to[i] = update == Update::add ? to[i] + of_gate : of_gate;
        to_value[i] = update == Update::add ? to_value[i] + of_value : of_value;
      }
      gate += 2 * channels_;
      to += 2 * channels_;
      gradient += channels_;
    }
  }

  std::int64_t channels_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_swiglu(const Layer& layer) {
  return std::make_unique<Gated<Silu>>(layer);
}
std::unique_ptr<LayerKernel> make_geglu(const Layer& layer) {
  return std::make_unique<Gated<Gelu>>(layer);
}

}  // namespace orrery
