#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class ResidualAdd final : public LayerKernel {
 public:
  explicit ResidualAdd(const Layer& layer) { ORRERY_EXPECT(layer.in == layer.out); }
  [[nodiscard]] InPlace in_place() const override { return InPlace::possible; }

  void forward(const ForwardData& data) const override {
    const float *input = data.input.data(), *second = data.second.data();
    float* output = data.output.data();
    const std::size_t count = data.output.size();
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) output[i] = input[i] + second[i];
  }

  void backward(const BackwardData& data) const override {
    pass_on(data.output_gradient, data.second_update, data.second_gradient);
    pass_on(data.output_gradient, data.input_update, data.input_gradient);
  }
};

}  // namespace

std::unique_ptr<LayerKernel> make_residual_add(const Layer& layer) {
  return std::make_unique<ResidualAdd>(layer);
}

}  // namespace orrery
