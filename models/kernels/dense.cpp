#include <algorithm>

#include "models/cost/shards.hpp"
#include "models/kernels/columns.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Dense final : public LayerKernel {
 public:
  explicit Dense(const Layer& layer)
      : in_(layer.in.channels),
        out_(layer.out.channels),
        positions_(layer.in.height * layer.in.width),
        blocks_(parameter_blocks(layer)),
        bias_(layer.bias),
        tied_(layer.tied) {
    ORRERY_EXPECT(layer.out.height * layer.out.width == positions_);
  }

  [[nodiscard]] ParameterCount parameter_count() const override { return {own_weights(), bias_ ? out_ : 0, in_}; }

  void forward(const ForwardData& data) const override {
    const std::int64_t columns = data.samples * positions_;
    if (bias_) fill_columns(data.parameters.data() + own_weights(), out_, columns, data.output.data());
    gemm({.rows = out_,
          .columns = columns,
          .inner = in_,
          .left = tied_ ? Operand::transposed : Operand::plain,
          .update = bias_ ? Update::add : Update::overwrite},
         tied_ ? data.tied_table.data() : data.parameters.data(), data.input.data(), data.output.data());
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) add_input_gradient(data);
    if (tied_ && !data.tied_gradient.empty()) add_tied_gradient(data);
    if (!data.parameter_gradient.empty()) add_parameter_gradient(data);
  }

  // A block is a run of the inputs, so of the columns of W.
  void backward_block(const BackwardData& data, std::int64_t block) const override {
    const std::int64_t first = in_ * block / blocks_, end = in_ * (block + 1) / blocks_;
    gemm({.rows = out_,
          .columns = end - first,
          .inner = data.samples,
          .right = Operand::transposed,
          .update = data.parameter_update,
          .right_stride = in_},
         data.output_gradient.data(), data.input.data() + first, data.parameter_gradient.data() + first * out_);
    if (block == 0) add_bias_gradient(data);
  }

 private:
  [[nodiscard]] std::int64_t own_weights() const { return tied_ ? 0 : in_ * out_; }

  void add_input_gradient(const BackwardData& data) const {
    gemm({.rows = in_,
          .columns = data.samples * positions_,
          .inner = out_,
          .left = tied_ ? Operand::plain : Operand::transposed,
          .update = data.input_update},
         tied_ ? data.tied_table.data() : data.parameters.data(), data.output_gradient.data(),
         data.input_gradient.data());
  }

  void add_tied_gradient(const BackwardData& data) const {
    gemm({.rows = in_,
          .columns = out_,
          .inner = data.samples * positions_,
          .right = Operand::transposed,
          .update = Update::add},
         data.input.data(), data.output_gradient.data(), data.tied_gradient.data());
  }

  void add_parameter_gradient(const BackwardData& data) const {
    const std::int64_t columns = data.samples * positions_;
    const float* gradient = data.output_gradient.data();
    if (!tied_) {
      gemm({.rows = out_,
            .columns = in_,
            .inner = columns,
            .right = Operand::transposed,
            .update = data.parameter_update},
           gradient, data.input.data(), data.parameter_gradient.data());
    }
    add_bias_gradient(data);
  }

  void add_bias_gradient(const BackwardData& data) const {
    if (!bias_) return;
    float* bias_gradient = data.parameter_gradient.data() + own_weights();
    if (data.parameter_update == Update::overwrite) std::fill_n(bias_gradient, out_, 0.0F);
    add_columns(data.output_gradient.data(), out_, data.samples * positions_, bias_gradient);
  }

  std::int64_t in_, out_, positions_, blocks_;
  bool bias_, tied_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_dense(const Layer& layer) {
  return std::make_unique<Dense>(layer);
}

}  // namespace orrery
