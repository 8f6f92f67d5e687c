#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Nearest neighbour: every pixel becomes stride x stride equal ones; its gradient is the sum of theirs.
class Upsample final : public LayerKernel {
 public:
  explicit Upsample(const Layer& layer) : in_(layer.in), out_(layer.out), stride_(layer.stride) {
    ORRERY_EXPECT(out_.height == in_.height * stride_ && out_.width == in_.width * stride_);
    ORRERY_EXPECT(out_.channels == in_.channels);
  }

  void forward(const ForwardData& data) const override {
    float* to = data.output.data();
    for_each_output(data.samples,
                    [&](std::int64_t from) { to = std::copy_n(data.input.data() + from, in_.channels, to); });
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    const float* gradient = data.output_gradient.data();
    for_each_output(data.samples, [&](std::int64_t from) {
      add_columns(gradient, in_.channels, 1, data.input_gradient.data() + from);
      gradient += in_.channels;
    });
  }

 private:
  /// visit(place of the first channel of the input pixel) for every output pixel, in order.
  template <class Visit>
  void for_each_output(std::int64_t samples, Visit visit) const {
    for (std::int64_t row = 0; row < samples * out_.height; ++row) {
      const std::int64_t sample = row / out_.height, in_row = sample * in_.height + row % out_.height / stride_;
      for (std::int64_t column = 0; column < out_.width; ++column) {
        visit((in_row * in_.width + column / stride_) * in_.channels);
      }
    }
  }

  Shape in_, out_;
  std::int64_t stride_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_upsample(const Layer& layer) {
  return std::make_unique<Upsample>(layer);
}

}  // namespace orrery
