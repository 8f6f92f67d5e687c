#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class AddVector final : public LayerKernel {
 public:
  explicit AddVector(const Layer& layer) : channels_(layer.in.channels), positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(layer.in == layer.out);
  }
  [[nodiscard]] InPlace in_place() const override { return InPlace::possible; }

  void forward(const ForwardData& data) const override {
    const float *from = data.input.data(), *vector = data.second.data();
    float* to = data.output.data();
    for (std::int64_t sample = 0; sample < data.samples; ++sample, vector += channels_) {
      for (std::int64_t position = 0; position < positions_; ++position, from += channels_, to += channels_) {
#pragma omp simd
        for (std::int64_t i = 0; i < channels_; ++i) to[i] = from[i] + vector[i];
      }
    }
  }

  /// Before the input's gradient: that one may take the place of the output's.
  void backward(const BackwardData& data) const override {
    if (!data.second_gradient.empty()) sum_over_positions(data);
    pass_on(data.output_gradient, data.input_update, data.input_gradient);
  }

 private:
  void sum_over_positions(const BackwardData& data) const {
    if (data.second_update == Update::overwrite) {
      std::fill(data.second_gradient.begin(), data.second_gradient.end(), 0.0F);
    }
    const float* from = data.output_gradient.data();
    float* to = data.second_gradient.data();
    for (std::int64_t sample = 0; sample < data.samples; ++sample, from += positions_ * channels_, to += channels_) {
      add_columns(from, channels_, positions_, to);
    }
  }

  std::int64_t channels_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_add_vector(const Layer& layer) {
  return std::make_unique<AddVector>(layer);
}

}  // namespace orrery
