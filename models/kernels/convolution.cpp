#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/grouped_convolution.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/patches.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Products narrower than this waste their packing: smaller images share one.
constexpr std::int64_t columns_wanted = 256;

// A few images at a time: their patch matrix stays in the second-level cache, that of a batch would not. A window of
// one pixel makes the input itself the matrix of patches, of all images at once.
class Convolution final : public LayerKernel {
 public:
  explicit Convolution(const Layer& layer)
      : layer_(layer),
        patch_(patch_size(layer)),
        pixels_(layer.out.height * layer.out.width),
        patches_are_input_(layer.kernel == 1 && layer.stride == 1 && layer.padding == 0) {
    ORRERY_EXPECT(layer.out.height == (layer.in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.out.width == (layer.in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.groups == 1);
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    const std::int64_t channels = layer_.out.channels;
    return {channels * patch_, layer_.bias ? channels : 0, patch_};
  }

  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return patches_are_input_ ? 0 : patch_ * pixels_ * images_per_product(samples);
  }

  void forward(const ForwardData& data) const override {
    const std::int64_t channels = layer_.out.channels;
    const float* weights = data.parameters.data();
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      float* output = data.output.data() + first * layer_.out.count();
      if (layer_.bias) fill_columns(weights + channels * patch_, channels, pixels_ * images, output);
      gemm({.rows = channels,
            .columns = pixels_ * images,
            .inner = patch_,
            .update = layer_.bias ? Update::add : Update::overwrite},
           weights, patches_of(data.input.data(), first, images, data.scratch.data()), output);
    });
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) input_gradient(data);
    if (!data.parameter_gradient.empty()) parameter_gradient(data);
  }

 private:
  [[nodiscard]] std::int64_t images_per_product(std::int64_t samples) const {
    if (patches_are_input_) return samples;
    return std::clamp<std::int64_t>((columns_wanted + pixels_ - 1) / pixels_, 1, std::max<std::int64_t>(samples, 1));
  }

  // visit(first image, images) for blocks of images that share a product
  template <class Visit>
  void for_each_block(std::int64_t samples, Visit visit) const {
    const std::int64_t images = images_per_product(samples);
    for (std::int64_t first = 0; first < samples; first += images) visit(first, std::min(images, samples - first));
  }

  [[nodiscard]] const float* patches_of(const float* input, std::int64_t first, std::int64_t images,
                                        float* scratch) const {
    if (patches_are_input_) return input + first * layer_.in.count();
    for (std::int64_t image = 0; image < images; ++image) {
      image_to_patches(layer_, input + (first + image) * layer_.in.count(), scratch + image * patch_ * pixels_);
    }
    return scratch;
  }

  void input_gradient(const BackwardData& data) const {
    if (!patches_are_input_ && data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      const float* gradient = data.output_gradient.data() + first * layer_.out.count();
      float* to = data.input_gradient.data() + first * layer_.in.count();
      gemm({.rows = patch_,
            .columns = pixels_ * images,
            .inner = layer_.out.channels,
            .left = Operand::transposed,
            .update = patches_are_input_ ? data.input_update : Update::overwrite},
           data.parameters.data(), gradient, patches_are_input_ ? to : data.scratch.data());
      if (patches_are_input_) return;
      for (std::int64_t image = 0; image < images; ++image) {
        add_patches_to_image(layer_, data.scratch.data() + image * patch_ * pixels_, to + image * layer_.in.count());
      }
    });
  }

  // The patches are made again rather than kept from the forward pass: a copy of the image is cheaper than its 25-fold
  // memory.
  void parameter_gradient(const BackwardData& data) const {
    const std::int64_t channels = layer_.out.channels;
    float* biases = data.parameter_gradient.data() + channels * patch_;
    if (layer_.bias && data.parameter_update == Update::overwrite) std::fill_n(biases, channels, 0.0F);
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      const float* gradient = data.output_gradient.data() + first * layer_.out.count();
      gemm({.rows = channels,
            .columns = patch_,
            .inner = pixels_ * images,
            .right = Operand::transposed,
            .update = first == 0 ? data.parameter_update : Update::add},
           gradient, patches_of(data.input.data(), first, images, data.scratch.data()), data.parameter_gradient.data());
      if (layer_.bias) add_columns(gradient, channels, pixels_ * images, biases);
    });
  }

  Layer layer_;
  std::int64_t patch_, pixels_;
  bool patches_are_input_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_convolution(const Layer& layer) {
  if (layer.groups == 1) return std::make_unique<Convolution>(layer);
  if (layer.groups == layer.in.channels && layer.out.channels == layer.in.channels) {
    return make_depthwise_convolution(layer);
  }
  return make_grouped_convolution(layer);
}

}  // namespace orrery
