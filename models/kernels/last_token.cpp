#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"

namespace orrery {
namespace {

class LastToken final : public LayerKernel {
 public:
  explicit LastToken(const Layer& layer) : channels_(layer.in.channels), in_(layer.in.count()) {}

  void forward(const ForwardData& data) const override {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      std::copy_n(data.input.data() + (sample + 1) * in_ - channels_, channels_,
                  data.output.data() + sample * channels_);
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      add_columns(data.output_gradient.data() + sample * channels_, channels_, 1,
                  data.input_gradient.data() + (sample + 1) * in_ - channels_);
    }
  }

 private:
  std::int64_t channels_, in_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_last_token(const Layer& layer) {
  return std::make_unique<LastToken>(layer);
}

}  // namespace orrery
