#include <algorithm>
#include <vector>

#include "models/kernels/makers.hpp"
#include "models/kernels/windows.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// best and chosen start from the first pixel of a window; a later pixel replaces them where it is larger. 32-bit
// indices, not bytes: a pointer to bytes may alias the floats, and the loop would not vectorise.
void take_larger(const float* __restrict pixel, std::int32_t first, std::int64_t channels, float* __restrict best,
                 std::int32_t* __restrict chosen) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const bool larger = pixel[c] > best[c];
    best[c] = larger ? pixel[c] : best[c];
    chosen[c] = larger ? first + static_cast<std::int32_t>(c) : chosen[c];
  }
}

void start_from(const float* __restrict pixel, std::int32_t first, std::int64_t channels, float* __restrict best,
                std::int32_t* __restrict chosen) {
  for (std::int64_t c = 0; c < channels; ++c) {
    best[c] = pixel[c];
    chosen[c] = first + static_cast<std::int32_t>(c);
  }
}

class MaxPool final : public LayerKernel {
 public:
  explicit MaxPool(const Layer& layer) : layer_(layer) {
    ORRERY_EXPECT(layer.in.channels == layer.out.channels);
    ORRERY_EXPECT(layer.padding < layer.kernel);
  }

  void forward(const ForwardData& data) override {
    chosen_.resize(data.output.size());
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const std::int64_t at = sample * layer_.out.count();
      pool(data.input.data() + sample * layer_.in.count(), data.output.data() + at, chosen_.data() + at);
    }
  }

  void backward(const BackwardData& data) override {
    if (data.input_gradient.empty()) return;
    std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    const std::int64_t in = layer_.in.count(), out = layer_.out.count();
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* __restrict gradient = data.output_gradient.data() + sample * out;
      const std::int32_t* __restrict chosen = chosen_.data() + sample * out;
      float* __restrict input_gradient = data.input_gradient.data() + sample * in;
      for (std::int64_t i = 0; i < out; ++i) input_gradient[chosen[i]] += gradient[i];
    }
  }

 private:
  void pool(const float* image, float* output, std::int32_t* chosen) const {
    const std::int64_t channels = layer_.in.channels, width = layer_.in.width;
    for_each_window(layer_, [&](std::int64_t pixel, const Window& window) {
      float* best = output + pixel * channels;
      std::int32_t* best_at = chosen + pixel * channels;
      const std::int64_t first = (window.top * width + window.left) * channels;
      start_from(image + first, static_cast<std::int32_t>(first), channels, best, best_at);
      for (std::int64_t y = window.top; y < window.bottom; ++y) {
        for (std::int64_t x = window.left; x < window.right; ++x) {
          const std::int64_t at = (y * width + x) * channels;
          take_larger(image + at, static_cast<std::int32_t>(at), channels, best, best_at);
        }
      }
    });
  }

  Layer layer_;
  std::vector<std::int32_t> chosen_;  // for every output number the place of its maximum in the sample
};

}  // namespace

std::unique_ptr<LayerKernel> make_max_pool(const Layer& layer) {
  return std::make_unique<MaxPool>(layer);
}

}  // namespace orrery
