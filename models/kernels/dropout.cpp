#include <algorithm>
#include <cmath>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// A generator without state: the draw for a place is a hash of its number and of two keys, so the backward pass draws
// again what the forward pass drew, and any thread can draw for any sample.

// SplitMix64's finaliser (Steele, Lea, Flood 2014), for the keys of a sample.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

// lowbias32 (C. Wellons, Prospecting for Hash Functions, 2018), for the draws: 32-bit arithmetic that vectorises.
inline std::uint32_t scrambled(std::uint32_t value) {
  value = (value ^ (value >> 16U)) * 0x7FEB352DU;
  value = (value ^ (value >> 15U)) * 0x846CA68BU;
  return value ^ (value >> 16U);
}

struct Keys {
  std::uint32_t first = 0, second = 0;
};

// 0 or 1 / (1 - rate), for one place of a sample. Twice scrambled, with a key before each: with one key the draws of
// two samples could be the same ones in another order.
inline float factor(std::uint32_t place, Keys keys, std::uint32_t dropped_below, float kept_scale) {
  const std::uint32_t draw = scrambled(scrambled(place + keys.first) ^ keys.second);
  return draw < dropped_below ? 0.0F : kept_scale;
}

// Draws are numbers in [0, 2^32): so many of them drop.
std::uint32_t share_of_draws(double rate) {
  ORRERY_EXPECT(rate >= 0 && rate < 1);
  return static_cast<std::uint32_t>(std::ldexp(rate, 32));
}

class Dropout final : public LayerKernel {
 public:
  explicit Dropout(const Layer& layer)
      : count_(layer.in.count()),
        layer_(layer.id.valid() ? layer.id.index() : 0),
        dropped_below_(share_of_draws(layer.rate)),
        kept_scale_(static_cast<float>(1 / (1 - layer.rate))) {
    ORRERY_EXPECT(layer.in == layer.out);
  }
  [[nodiscard]] InPlace in_place() const override { return InPlace::possible; }

  void forward(const ForwardData& data) const override {
    apply(data.context, data.samples, data.input, Update::overwrite, data.output);
  }
  void backward(const BackwardData& data) const override {
    apply(data.context, data.samples, data.output_gradient, data.input_update, data.input_gradient);
  }

 private:
  // Both passes multiply by the same factors. A dropped NaN stays one, so that divergence shows.
  void apply(const BatchContext& context, std::int64_t samples, std::span<const float> from, Update update,
             std::span<float> to) const {
    if (to.empty()) return;
    if (context.mode == Mode::evaluation || dropped_below_ == 0) return pass_on(from, update, to);
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      const Keys keys = keys_of(context, sample);
      const std::int64_t at = sample * count_;
      if (update == Update::overwrite) {
        multiply(from.data() + at, keys, to.data() + at);
      } else {
        add_multiplied(from.data() + at, keys, to.data() + at);
      }
    }
  }

  [[nodiscard]] Keys keys_of(const BatchContext& context, std::int64_t sample) const {
    const auto place = static_cast<std::uint64_t>(context.first_sample + sample);
    const std::uint64_t keys = mixed(mixed(mixed(context.seed) ^ layer_) ^ place);
    return {static_cast<std::uint32_t>(keys), static_cast<std::uint32_t>(keys >> 32U)};
  }

  void multiply(const float* from, Keys keys, float* to) const {
    const std::int64_t count = count_;
    const std::uint32_t dropped_below = dropped_below_;
    const float kept_scale = kept_scale_;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = from[i] * factor(static_cast<std::uint32_t>(i), keys, dropped_below, kept_scale);
    }
  }

  void add_multiplied(const float* from, Keys keys, float* to) const {
    const std::int64_t count = count_;
    const std::uint32_t dropped_below = dropped_below_;
    const float kept_scale = kept_scale_;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] += from[i] * factor(static_cast<std::uint32_t>(i), keys, dropped_below, kept_scale);
    }
  }

  std::int64_t count_;
  std::uint64_t layer_;
  std::uint32_t dropped_below_;
  float kept_scale_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_dropout(const Layer& layer) {
  return std::make_unique<Dropout>(layer);
}

}  // namespace orrery
