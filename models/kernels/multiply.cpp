#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// y = a b, number by number: da = b dy, db = a dy.
class Multiply final : public LayerKernel {
 public:
  explicit Multiply(const Layer& layer) { ORRERY_EXPECT(layer.in == layer.out); }

  void forward(const ForwardData& data) const override {
    const float *input = data.input.data(), *second = data.second.data();
    float* output = data.output.data();
    const std::size_t count = data.output.size();
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) output[i] = input[i] * second[i];
  }

  void backward(const BackwardData& data) const override {
    scale(data.output_gradient, data.input, data.second_update, data.second_gradient);
    scale(data.output_gradient, data.second, data.input_update, data.input_gradient);
  }

 private:
  static void scale(std::span<const float> gradient, std::span<const float> by, Update update, std::span<float> to) {
    const bool adds = update == Update::add;
    const std::size_t count = to.size();
    for (std::size_t i = 0; i < count; ++i) to[i] = gradient[i] * by[i] + (adds ? to[i] : 0.0F);
  }
};

}  // namespace

std::unique_ptr<LayerKernel> make_multiply(const Layer& layer) {
  return std::make_unique<Multiply>(layer);
}

}  // namespace orrery
