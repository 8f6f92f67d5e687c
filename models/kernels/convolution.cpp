#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/depthwise_convolution.hpp"
#include "models/kernels/direct_convolution.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/patches.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Products narrower than this waste their packing: smaller images share one.
constexpr std::int64_t columns_wanted = 256;

enum class Way : std::uint8_t { patches, direct };

// Measured with oneDNN 2.6.3 on AVX-512, shards of 4 to 16 images. Direct convolution saves the patches, which cost
// most where few channels are multiplied; it loses to the product where it must bring large weights into its own order
// for few pixels, at stride 2 of many channels, and in the gradient of an image of less than 4 channels.
struct Ways {
  Way forward = Way::patches, input_gradient = Way::patches, parameter_gradient = Way::patches;
};

Ways fastest_ways(const Layer& layer) {
  constexpr std::int64_t weights_per_pixel = 4096, few_channels = 32, very_few_channels = 4;
  const std::int64_t weights = layer.out.channels * patch_size(layer);
  const bool pays = (layer.kernel > 1 || layer.stride > 1) && layer.groups == 1 &&
                    weights <= weights_per_pixel * layer.out.height * layer.out.width &&
                    (layer.stride == 1 || layer.in.channels < few_channels);
  if (!pays) return {};
  return {Way::direct, layer.in.channels < very_few_channels ? Way::patches : Way::direct, Way::direct};
}

// By patches: a few images at a time, whose patch matrix stays in the second-level cache; that of a batch would not. A
// window of one pixel makes the input itself the matrix of patches, of all images at once.
class Convolution final : public LayerKernel {
 public:
  explicit Convolution(const Layer& layer)
      : layer_(layer),
        ways_(fastest_ways(layer)),
        patch_(patch_size(layer)),
        pixels_(layer.out.height * layer.out.width),
        channels_(layer.out.channels),
        group_channels_(layer.out.channels / layer.groups),
        patches_are_input_(layer.kernel == 1 && layer.stride == 1 && layer.padding == 0) {
    ORRERY_EXPECT(layer.out.height == (layer.in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.out.width == (layer.in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.in.channels % layer.groups == 0 && layer.out.channels % layer.groups == 0);
    if (ways_.forward == Way::direct) direct_ = make_direct_convolution(layer);
    if (direct_ == nullptr) ways_ = {};
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    return {weights(), layer_.bias ? channels_ : 0, patch_};
  }

  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    const std::int64_t patches = patches_are_input_ ? 0 : patch_ * pixels_ * images_per_product(samples);
    return direct_ == nullptr ? patches : std::max(patches, direct_->scratch_count(samples));
  }

  void forward(const ForwardData& data) const override {
    if (ways_.forward == Way::direct) return direct_->forward(data);
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      float* output = data.output.data() + first * layer_.out.count();
      if (layer_.bias) fill_columns(data.parameters.data() + weights(), channels_, pixels_ * images, output);
      for (std::int64_t group = 0; group < layer_.groups; ++group) {
        const std::int64_t at = group * group_channels_;
        gemm({.rows = group_channels_,
              .columns = pixels_ * images,
              .inner = patch_,
              .update = layer_.bias ? Update::add : Update::overwrite,
              .left_stride = channels_,
              .right_stride = patch_stride(),
              .result_stride = channels_},
             data.parameters.data() + at, patches_of(group, data.input.data(), first, images, data.scratch.data()),
             output + at);
      }
    });
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) {
      ways_.input_gradient == Way::direct ? direct_->input_gradient(data) : input_gradient(data);
    }
    if (!data.parameter_gradient.empty()) {
      ways_.parameter_gradient == Way::direct ? direct_->parameter_gradient(data) : parameter_gradient(data);
    }
  }

 private:
  [[nodiscard]] std::int64_t weights() const { return channels_ * patch_; }
  [[nodiscard]] std::int64_t patch_stride() const { return patches_are_input_ ? layer_.in.channels : patch_; }

  [[nodiscard]] std::int64_t images_per_product(std::int64_t samples) const {
    if (patches_are_input_) return std::max<std::int64_t>(samples, 1);
    return std::clamp<std::int64_t>((columns_wanted + pixels_ - 1) / pixels_, 1, std::max<std::int64_t>(samples, 1));
  }

  // visit(first image, images) for blocks of images that share a product
  template <class Visit>
  void for_each_block(std::int64_t samples, Visit visit) const {
    const std::int64_t images = images_per_product(samples);
    for (std::int64_t first = 0; first < samples; first += images) visit(first, std::min(images, samples - first));
  }

  [[nodiscard]] const float* patches_of(std::int64_t group, const float* input, std::int64_t first, std::int64_t images,
                                        float* scratch) const {
    input += first * layer_.in.count();
    if (patches_are_input_) return input + group * patch_;
    for (std::int64_t image = 0; image < images; ++image) {
      image_to_patches(layer_, group, input + image * layer_.in.count(), scratch + image * patch_ * pixels_);
    }
    return scratch;
  }

  void input_gradient(const BackwardData& data) const {
    if (!patches_are_input_ && data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      for (std::int64_t group = 0; group < layer_.groups; ++group) input_gradient(data, group, first, images);
    });
  }

  void input_gradient(const BackwardData& data, std::int64_t group, std::int64_t first, std::int64_t images) const {
    const std::int64_t at = group * group_channels_;
    float* to = data.input_gradient.data() + first * layer_.in.count();
    gemm({.rows = patch_,
          .columns = pixels_ * images,
          .inner = group_channels_,
          .left = Operand::transposed,
          .update = patches_are_input_ ? data.input_update : Update::overwrite,
          .left_stride = channels_,
          .right_stride = channels_,
          .result_stride = patch_stride()},
         data.parameters.data() + at, data.output_gradient.data() + first * layer_.out.count() + at,
         patches_are_input_ ? to + group * patch_ : data.scratch.data());
    if (patches_are_input_) return;
    for (std::int64_t image = 0; image < images; ++image) {
      add_patches_to_image(layer_, group, data.scratch.data() + image * patch_ * pixels_,
                           to + image * layer_.in.count());
    }
  }

  // The patches are made again rather than kept from the forward pass: a copy of the image is cheaper than its 25-fold
  // memory.
  void parameter_gradient(const BackwardData& data) const {
    float* biases = data.parameter_gradient.data() + weights();
    if (layer_.bias && data.parameter_update == Update::overwrite) std::fill_n(biases, channels_, 0.0F);
    for_each_block(data.samples, [&](std::int64_t first, std::int64_t images) {
      const float* gradient = data.output_gradient.data() + first * layer_.out.count();
      for (std::int64_t group = 0; group < layer_.groups; ++group) {
        const std::int64_t at = group * group_channels_;
        gemm({.rows = group_channels_,
              .columns = patch_,
              .inner = pixels_ * images,
              .right = Operand::transposed,
              .update = first == 0 ? data.parameter_update : Update::add,
              .left_stride = channels_,
              .right_stride = patch_stride(),
              .result_stride = channels_},
             gradient + at, patches_of(group, data.input.data(), first, images, data.scratch.data()),
             data.parameter_gradient.data() + at);
      }
      if (layer_.bias) add_columns(gradient, channels_, pixels_ * images, biases);
    });
  }

  Layer layer_;
  Ways ways_;
  std::int64_t patch_, pixels_, channels_, group_channels_;
  bool patches_are_input_;
  std::unique_ptr<DirectConvolution> direct_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_convolution(const Layer& layer) {
  const std::int64_t channels = layer.in.channels;
  if (channels > 1 && layer.groups == channels && layer.out.channels == channels) {
    return make_depthwise_convolution(layer);
  }
  return std::make_unique<Convolution>(layer);
}

}  // namespace orrery
