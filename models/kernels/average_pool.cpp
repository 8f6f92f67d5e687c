#include <algorithm>

#include "models/kernels/makers.hpp"
#include "models/kernels/windows.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The two passes are each other's mirror: the scaled sum of a window's pixels, and its spreading back over them.
void add_scaled(const float* __restrict from, float scale, std::int64_t count, float* __restrict to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += scale * from[i];
}

class AveragePool final : public LayerKernel {
 public:
  /// pixels: what the sum of a window is divided by.
  AveragePool(const Layer& layer, std::int64_t pixels) : layer_(layer), share_(1.0F / static_cast<float>(pixels)) {
    ORRERY_EXPECT(layer.in.channels == layer.out.channels);
    ORRERY_EXPECT(layer.padding < layer.kernel);
  }

  void forward(const ForwardData& data) const override {
    std::fill(data.output.begin(), data.output.end(), 0.0F);
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* image = data.input.data() + sample * layer_.in.count();
      float* output = data.output.data() + sample * layer_.out.count();
      for_each_pair(
          [&](std::int64_t in, std::int64_t out) { add_scaled(image + in, share_, layer_.in.channels, output + out); });
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      float* input_gradient = data.input_gradient.data() + sample * layer_.in.count();
      for_each_pair([&](std::int64_t in, std::int64_t out) {
        add_scaled(gradient + out, share_, layer_.in.channels, input_gradient + in);
      });
    }
  }

 private:
  // visit(place of an input pixel, place of an output pixel whose window holds it)
  template <class Visit>
  void for_each_pair(Visit visit) const {
    const std::int64_t channels = layer_.in.channels;
    for_each_window(layer_, [&](std::int64_t pixel, const Window& window) {
      for (std::int64_t y = window.top; y < window.bottom; ++y) {
        for (std::int64_t x = window.left; x < window.right; ++x) {
          visit((y * layer_.in.width + x) * channels, pixel * channels);
        }
      }
    });
  }

  Layer layer_;
  float share_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_average_pool(const Layer& layer) {
  return std::make_unique<AveragePool>(layer, layer.kernel * layer.kernel);
}

std::unique_ptr<LayerKernel> make_global_average_pool(const Layer& layer) {
  ORRERY_EXPECT(layer.out.height == 1 && layer.out.width == 1);
  Layer whole = layer;  // one window, cut at the border where the image is not square
  whole.kernel = whole.stride = std::max(layer.in.height, layer.in.width);
  whole.padding = 0;
  return std::make_unique<AveragePool>(whole, layer.in.height * layer.in.width);
}

}  // namespace orrery
