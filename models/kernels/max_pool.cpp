#include <algorithm>

#include "models/kernels/makers.hpp"
#include "models/kernels/windows.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// best and chosen start from the first pixel of a window; a later pixel replaces them where it is larger or not a
// number (which so gets through). `place` numbers the pixels of a window; a float, for in a loop over floats it costs
// nothing.
void take_larger(const float* __restrict pixel, float place, std::int64_t channels, float* __restrict best,
                 float* __restrict chosen) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const bool larger = (pixel[c] > best[c]) | (pixel[c] != pixel[c]);
    best[c] = larger ? pixel[c] : best[c];
    chosen[c] = larger ? place : chosen[c];
  }
}

template <Update update>
void put_where_chosen(const float* __restrict gradient, const float* __restrict chosen, float place,
                      std::int64_t channels, float* __restrict to) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float before = update == Update::add ? to[c] : 0.0F;
    to[c] = before + (chosen[c] == place ? gradient[c] : 0.0F);
  }
}

// kept: for every output number which pixel of its window it came from.
class MaxPool final : public LayerKernel {
 public:
  explicit MaxPool(const Layer& layer)
      : layer_(layer),
        windows_tile_image_(layer.stride == layer.kernel && layer.padding == 0 &&
                            layer.out.height * layer.kernel == layer.in.height &&
                            layer.out.width * layer.kernel == layer.in.width) {
    ORRERY_EXPECT(layer.in.channels == layer.out.channels);
    ORRERY_EXPECT(layer.padding < layer.kernel);
  }

  [[nodiscard]] std::int64_t kept_count() const override { return layer_.out.count(); }

  void forward(const ForwardData& data) const override {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const std::int64_t at = sample * layer_.out.count();
      pool(data.input.data() + sample * layer_.in.count(), data.output.data() + at, data.kept.data() + at);
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite && windows_tile_image_) return spread<Update::overwrite>(data);
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    spread<Update::add>(data);
  }

 private:
  template <Update update>
  void spread(const BackwardData& data) const {
    const std::int64_t channels = layer_.in.channels;
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      const float* kept = data.kept.data() + sample * layer_.out.count();
      float* to = data.input_gradient.data() + sample * layer_.in.count();
      for_each_window(layer_, [&](std::int64_t pixel, const Window& window) {
        for_each_pixel(window, [&](std::int64_t at, float place) {
          put_where_chosen<update>(gradient + pixel * channels, kept + pixel * channels, place, channels, to + at);
        });
      });
    }
  }

  void pool(const float* image, float* output, float* kept) const {
    const std::int64_t channels = layer_.in.channels;
    for_each_window(layer_, [&](std::int64_t pixel, const Window& window) {
      float* best = output + pixel * channels;
      float* chosen = kept + pixel * channels;
      std::copy_n(image + (window.top * layer_.in.width + window.left) * channels, channels, best);
      std::fill_n(chosen, channels, 0.0F);
      for_each_pixel(window,
                     [&](std::int64_t at, float place) { take_larger(image + at, place, channels, best, chosen); });
    });
  }

  // visit(place of the pixel's first number in the image, number of the pixel in the window)
  template <class Visit>
  void for_each_pixel(const Window& window, Visit visit) const {
    float place = 0;
    for (std::int64_t y = window.top; y < window.bottom; ++y) {
      for (std::int64_t x = window.left; x < window.right; ++x, ++place) {
        visit((y * layer_.in.width + x) * layer_.in.channels, place);
      }
    }
  }

  Layer layer_;
  bool windows_tile_image_;  // every pixel lies in one window: it is written once
};

}  // namespace

std::unique_ptr<LayerKernel> make_max_pool(const Layer& layer) {
  return std::make_unique<MaxPool>(layer);
}

}  // namespace orrery
