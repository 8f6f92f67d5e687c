#include <algorithm>
#include <cmath>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double smallest_variance = 1e-5;  // Ba, Kiros, Hinton 2016 leave it open; PyTorch's and GPT-2's default

struct Moments {
  float mean = 0, inverse_deviation = 0;
};

Moments moments(const float* __restrict x, std::int64_t count) {
  double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(count);
#pragma omp simd reduction(+ : squares)
  for (std::int64_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(x[i]) - mean;
    squares += distance * distance;
  }
  const double variance = squares / static_cast<double>(count);
  return {static_cast<float>(mean), static_cast<float>(1 / std::sqrt(variance + smallest_variance))};
}

void normalise(const float* __restrict x, Moments of, const float* __restrict scale, const float* __restrict shift,
               std::int64_t count, float* __restrict y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = (x[i] - of.mean) * of.inverse_deviation * scale[i] + shift[i];
}

// With n the normalised input and g = scale dy: dx = (g - mean(g) - n mean(g n)) / deviation.
template <Update update>
void input_gradient(const float* __restrict x, Moments of, const float* __restrict scale, const float* __restrict dy,
                    std::int64_t count, float* __restrict dx) {
  double sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = scale[i] * dy[i];
    sum += static_cast<double>(gradient);
    product += static_cast<double>(gradient * ((x[i] - of.mean) * of.inverse_deviation));
  }
  const auto mean = static_cast<float>(sum / static_cast<double>(count));
  const auto slope = static_cast<float>(product / static_cast<double>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float normalised = (x[i] - of.mean) * of.inverse_deviation;
    const float gradient = (scale[i] * dy[i] - mean - normalised * slope) * of.inverse_deviation;
    dx[i] = update == Update::add ? dx[i] + gradient : gradient;
  }
}

void add_parameter_gradient(const float* __restrict x, Moments of, const float* __restrict dy, std::int64_t count,
                            float* __restrict dscale, float* __restrict dshift) {
  for (std::int64_t i = 0; i < count; ++i) {
    dscale[i] += dy[i] * ((x[i] - of.mean) * of.inverse_deviation);
    dshift[i] += dy[i];
  }
}

/// Parameters: scales, then shifts. Kept: mean and 1 / deviation of every position.
class LayerNorm final : public LayerKernel {
 public:
  explicit LayerNorm(const Layer& layer) : channels_(layer.in.channels), positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(layer.in == layer.out);
  }
  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = channels_, .biases = channels_}; }
  [[nodiscard]] std::int64_t kept_count() const override { return 2 * positions_; }

  void initialise(std::span<float> parameters, Random& /*random*/) const override {
    std::fill_n(parameters.data(), channels_, 1.0F);
    std::fill_n(parameters.data() + channels_, channels_, 0.0F);
  }

  void forward(const ForwardData& data) const override {
    const float *scale = data.parameters.data(), *input = data.input.data();
    float *output = data.output.data(), *kept = data.kept.data();
    for (std::int64_t column = 0; column < data.samples * positions_; ++column, kept += 2) {
      const Moments of = moments(input, channels_);
      kept[0] = of.mean;
      kept[1] = of.inverse_deviation;
      normalise(input, of, scale, scale + channels_, channels_, output);
      input += channels_;
      output += channels_;
    }
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) {
      float* to = data.input_gradient.data();
      const auto pass =
          data.input_update == Update::add ? input_gradient<Update::add> : input_gradient<Update::overwrite>;
      for_each_column(data, [&](const float* input, Moments of, const float* gradient) {
        pass(input, of, data.parameters.data(), gradient, channels_, to);
        to += channels_;
      });
    }
    if (data.parameter_gradient.empty()) return;
    float* to = data.parameter_gradient.data();
    if (data.parameter_update == Update::overwrite) std::fill_n(to, 2 * channels_, 0.0F);
    for_each_column(data, [&](const float* input, Moments of, const float* gradient) {
      add_parameter_gradient(input, of, gradient, channels_, to, to + channels_);
    });
  }

 private:
  // visit(input, its moments, gradient of the output) of every position, in order
  template <class Visit>
  void for_each_column(const BackwardData& data, Visit visit) const {
    const float *input = data.input.data(), *gradient = data.output_gradient.data(), *kept = data.kept.data();
    for (std::int64_t column = 0; column < data.samples * positions_; ++column) {
      visit(input + column * channels_, Moments{kept[2 * column], kept[2 * column + 1]}, gradient + column * channels_);
    }
  }

  std::int64_t channels_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_layer_norm(const Layer& layer) {
  return std::make_unique<LayerNorm>(layer);
}

}  // namespace orrery
