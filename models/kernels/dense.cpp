#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/makers.hpp"

namespace orrery {
namespace {

class Dense final : public LayerKernel {
 public:
  explicit Dense(const Layer& layer) : in_(layer.in.count()), out_(layer.out.count()), bias_(layer.bias) {}

  [[nodiscard]] ParameterCount parameter_count() const override { return {in_ * out_, bias_ ? out_ : 0, in_}; }

  void forward(const ForwardData& data) override {
    const float* weights = data.parameters.data();
    fill_columns(bias_ ? weights + in_ * out_ : nullptr, out_, data.samples, data.output.data());
    gemm({.rows = out_, .columns = data.samples, .inner = in_, .update = Update::add}, weights, data.input.data(),
         data.output.data());
  }

  void backward(const BackwardData& data) override {
    const float* gradient = data.output_gradient.data();
    gemm({.rows = out_, .columns = in_, .inner = data.samples, .right = Operand::transposed}, gradient,
         data.input.data(), data.parameter_gradient.data());
    if (bias_) {
      float* bias_gradient = data.parameter_gradient.data() + in_ * out_;
      std::fill_n(bias_gradient, out_, 0.0F);
      add_columns(gradient, out_, data.samples, bias_gradient);
    }
    if (data.input_gradient.empty()) return;
    gemm({.rows = in_, .columns = data.samples, .inner = out_, .left = Operand::transposed}, data.parameters.data(),
         gradient, data.input_gradient.data());
  }

 private:
  std::int64_t in_, out_;
  bool bias_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_dense(const Layer& layer) {
  return std::make_unique<Dense>(layer);
}

}  // namespace orrery
