#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Slice final : public LayerKernel {
 public:
  explicit Slice(const Layer& layer)
      : first_(layer.first_channel),
        channels_(layer.out.channels),
        all_(layer.in.channels),
        positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(first_ + channels_ <= all_);
    ORRERY_EXPECT(layer.out.height == layer.in.height && layer.out.width == layer.in.width);
  }

  void forward(const ForwardData& data) const override {
    const float* from = data.input.data() + first_;
    float* to = data.output.data();
    for (std::int64_t column = data.samples * positions_; column > 0; --column, from += all_) {
      to = std::copy_n(from, channels_, to);
    }
  }

  /// The gradient of the channels that are not taken is 0.
  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    const float* from = data.output_gradient.data();
    float* to = data.input_gradient.data() + first_;
    for (std::int64_t column = data.samples * positions_; column > 0; --column, from += channels_, to += all_) {
      add_columns(from, channels_, 1, to);
    }
  }

 private:
  std::int64_t first_, channels_, all_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_slice(const Layer& layer) {
  return std::make_unique<Slice>(layer);
}

}  // namespace orrery
