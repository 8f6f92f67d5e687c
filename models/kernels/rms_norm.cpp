#include <algorithm>
#include <cmath>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double smallest_square = 1e-6;  // Zhang and Sennrich 2019 leave it open; LLaMA's published code

float inverse_size(const float* __restrict x, std::int64_t count) {
  double squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t i = 0; i < count; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return static_cast<float>(1 / std::sqrt(squares / static_cast<double>(count) + smallest_square));
}

// With n = x / size and g = scale dy: dx = (g - n mean(g n)) / size.
template <Update update>
void input_gradient(const float* __restrict x, float inverse, const float* __restrict scale, const float* __restrict dy,
                    std::int64_t count, float* __restrict dx) {
  double product = 0;
#pragma omp simd reduction(+ : product)
  for (std::int64_t i = 0; i < count; ++i) product += static_cast<double>(scale[i] * dy[i] * (x[i] * inverse));
  const auto slope = static_cast<float>(product / static_cast<double>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = (scale[i] * dy[i] - x[i] * inverse * slope) * inverse;
    dx[i] = update == Update::add ? dx[i] + gradient : gradient;
  }
}

void scale_by(const float* __restrict x, float inverse, const float* __restrict scale, std::int64_t count,
              float* __restrict y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * inverse * scale[i];
}

void add_parameter_gradient(const float* __restrict x, float inverse, const float* __restrict dy, std::int64_t count,
                            float* __restrict dscale) {
  for (std::int64_t i = 0; i < count; ++i) dscale[i] += dy[i] * (x[i] * inverse);
}

/// Parameters: scales of a head, the same for all. Kept: 1 / size of every head of every position.
class RmsNorm final : public LayerKernel {
 public:
  explicit RmsNorm(const Layer& layer)
      : channels_(layer.in.channels / layer.heads), positions_(layer.in.height * layer.in.width * layer.heads) {
    ORRERY_EXPECT(layer.in == layer.out && layer.in.channels % layer.heads == 0);
  }
  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = channels_}; }
  [[nodiscard]] std::int64_t kept_count() const override { return positions_; }
  void initialise(std::span<float> parameters, Random& /*random*/) const override {
    std::fill(parameters.begin(), parameters.end(), 1.0F);
  }

  void forward(const ForwardData& data) const override {
    for (std::int64_t column = 0; column < data.samples * positions_; ++column) {
      const float* input = data.input.data() + column * channels_;
      const float inverse = data.kept[static_cast<std::size_t>(column)] = inverse_size(input, channels_);
      scale_by(input, inverse, data.parameters.data(), channels_, data.output.data() + column * channels_);
    }
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) {
      float* to = data.input_gradient.data();
      const auto pass =
          data.input_update == Update::add ? input_gradient<Update::add> : input_gradient<Update::overwrite>;
      for_each_column(data, [&](const float* input, float inverse, const float* gradient) {
        pass(input, inverse, data.parameters.data(), gradient, channels_, to);
        to += channels_;
      });
    }
    if (data.parameter_gradient.empty()) return;
    float* to = data.parameter_gradient.data();
    if (data.parameter_update == Update::overwrite) std::fill_n(to, channels_, 0.0F);
    for_each_column(data, [&](const float* input, float inverse, const float* gradient) {
      add_parameter_gradient(input, inverse, gradient, channels_, to);
    });
  }

 private:
  // visit(input, 1 / its size, gradient of the output) of every position, in order
  template <class Visit>
  void for_each_column(const BackwardData& data, Visit visit) const {
    const float *input = data.input.data(), *gradient = data.output_gradient.data();
    for (std::int64_t column = 0; column < data.samples * positions_; ++column) {
      visit(input + column * channels_, data.kept[static_cast<std::size_t>(column)], gradient + column * channels_);
    }
  }

  std::int64_t channels_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_rms_norm(const Layer& layer) {
  return std::make_unique<RmsNorm>(layer);
}

}  // namespace orrery
