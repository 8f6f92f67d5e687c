#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/depthwise_convolution.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// sum += a b, channel by channel, for a run of pixels.
void add_product(const float* __restrict a, const float* __restrict b, std::int64_t channels, float* __restrict sum) {
  for (std::int64_t c = 0; c < channels; ++c) sum[c] += a[c] * b[c];
}

// W: channels x (kernel row, kernel column), column-major: the weights of one place in the window lie together, as the
// channels of one pixel do.
class DepthwiseConvolution final : public LayerKernel {
 public:
  explicit DepthwiseConvolution(const Layer& layer) : layer_(layer), channels_(layer.in.channels) {
    ORRERY_EXPECT(layer.groups == channels_ && layer.out.channels == channels_);
    ORRERY_EXPECT(layer.out.height == (layer.in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.out.width == (layer.in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1);
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    return {weights(), layer_.bias ? channels_ : 0, layer_.kernel * layer_.kernel};
  }

  void forward(const ForwardData& data) const override {
    const float* bias = layer_.bias ? data.parameters.data() + weights() : nullptr;
    fill_columns(bias, channels_, data.samples * layer_.out.height * layer_.out.width, data.output.data());
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* image = data.input.data() + sample * layer_.in.count();
      float* output = data.output.data() + sample * layer_.out.count();
      for_each_meeting([&](std::int64_t in, std::int64_t weight, std::int64_t out) {
        add_product(image + in, data.parameters.data() + weight, channels_, output + out);
      });
    }
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) input_gradient(data);
    if (!data.parameter_gradient.empty()) parameter_gradient(data);
  }

 private:
  [[nodiscard]] std::int64_t weights() const { return layer_.kernel * layer_.kernel * channels_; }

  void input_gradient(const BackwardData& data) const {
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      float* to = data.input_gradient.data() + sample * layer_.in.count();
      for_each_meeting([&](std::int64_t in, std::int64_t weight, std::int64_t out) {
        add_product(gradient + out, data.parameters.data() + weight, channels_, to + in);
      });
    }
  }

  void parameter_gradient(const BackwardData& data) const {
    float* to = data.parameter_gradient.data();
    if (data.parameter_update == Update::overwrite) {
      std::fill(data.parameter_gradient.begin(), data.parameter_gradient.end(), 0.0F);
    }
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      const float* image = data.input.data() + sample * layer_.in.count();
      for_each_meeting([&](std::int64_t in, std::int64_t weight, std::int64_t out) {
        add_product(gradient + out, image + in, channels_, to + weight);
      });
      if (layer_.bias) add_columns(gradient, channels_, layer_.out.height * layer_.out.width, to + weights());
    }
  }

  // visit(input pixel, weights, output pixel): where their channels start, for all that meet
  template <class Visit>
  void for_each_meeting(Visit visit) const {
    for (std::int64_t out = 0; out < layer_.out.height * layer_.out.width; ++out) {
      const std::int64_t top = out / layer_.out.width * layer_.stride - layer_.padding;
      const std::int64_t left = out % layer_.out.width * layer_.stride - layer_.padding;
      for (std::int64_t y = 0; y < layer_.kernel; ++y) {
        if (top + y < 0 || top + y >= layer_.in.height) continue;
        for (std::int64_t x = 0; x < layer_.kernel; ++x) {
          if (left + x < 0 || left + x >= layer_.in.width) continue;
          visit(((top + y) * layer_.in.width + left + x) * channels_, (y * layer_.kernel + x) * channels_,
                out * channels_);
        }
      }
    }
  }

  Layer layer_;
  std::int64_t channels_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_depthwise_convolution(const Layer& layer) {
  return std::make_unique<DepthwiseConvolution>(layer);
}

}  // namespace orrery
