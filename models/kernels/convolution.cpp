#include <algorithm>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/columns.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/patches.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// One image at a time: the patch matrix of one image stays in the second-level cache, that of a batch would not.
class Convolution final : public LayerKernel {
 public:
  explicit Convolution(const Layer& layer)
      : layer_(layer), patch_(patch_size(layer)), pixels_(layer.out.height * layer.out.width) {
    ORRERY_EXPECT(layer.out.height == (layer.in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.out.width == (layer.in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    patches_.resize(static_cast<std::size_t>(patch_ * pixels_));
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    const std::int64_t channels = layer_.out.channels;
    return {channels * patch_, layer_.bias ? channels : 0, patch_};
  }

  void forward(const ForwardData& data) override {
    const std::int64_t channels = layer_.out.channels;
    const float* weights = data.parameters.data();
    const float* bias = layer_.bias ? weights + channels * patch_ : nullptr;
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      float* output = data.output.data() + sample * layer_.out.count();
      image_to_patches(layer_, data.input.data() + sample * layer_.in.count(), patches_.data());
      fill_columns(bias, channels, pixels_, output);
      gemm({.rows = channels, .columns = pixels_, .inner = patch_, .update = Update::add}, weights, patches_.data(),
           output);
    }
  }

  void backward(const BackwardData& data) override {
    std::fill(data.parameter_gradient.begin(), data.parameter_gradient.end(), 0.0F);
    std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      add_parameter_gradient(data.input.data() + sample * layer_.in.count(), gradient, data.parameter_gradient.data());
      if (data.input_gradient.empty()) continue;
      add_input_gradient(data.parameters.data(), gradient, data.input_gradient.data() + sample * layer_.in.count());
    }
  }

 private:
  void add_parameter_gradient(const float* image, const float* gradient, float* parameter_gradient) {
    const std::int64_t channels = layer_.out.channels;
    // Made again rather than kept from the forward pass: a copy of the image is cheaper than its 25-fold memory.
    image_to_patches(layer_, image, patches_.data());
    gemm({.rows = channels, .columns = patch_, .inner = pixels_, .right = Operand::transposed, .update = Update::add},
         gradient, patches_.data(), parameter_gradient);
    if (layer_.bias) add_columns(gradient, channels, pixels_, parameter_gradient + channels * patch_);
  }

  void add_input_gradient(const float* weights, const float* gradient, float* input_gradient) {
    gemm({.rows = patch_, .columns = pixels_, .inner = layer_.out.channels, .left = Operand::transposed}, weights,
         gradient, patches_.data());
    add_patches_to_image(layer_, patches_.data(), input_gradient);
  }

  Layer layer_;
  std::int64_t patch_, pixels_;
  AlignedVector patches_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_convolution(const Layer& layer) {
  return std::make_unique<Convolution>(layer);
}

}  // namespace orrery
