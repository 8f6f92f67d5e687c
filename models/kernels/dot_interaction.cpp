#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Of one sample: x_0 is the input, x_1, ..., x_N the vectors of the second operand.
class DotInteraction final : public LayerKernel {
 public:
  explicit DotInteraction(const Layer& layer)
      : numbers_(layer.in.channels), vectors_(interacting_vectors(layer)), out_(layer.out.channels) {
    ORRERY_EXPECT(layer.in.count() == numbers_ && out_ == numbers_ + vectors_ * (vectors_ - 1) / 2);
  }

  void forward(const ForwardData& data) const override {
    const float *first = data.input.data(), *others = data.second.data();
    float* to = data.output.data();
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      to = std::copy_n(first, numbers_, to);
      for (std::int64_t i = 1; i < vectors_; ++i) {
        const float* x = others + (i - 1) * numbers_;
        *to++ = product(x, first);
        for (std::int64_t j = 1; j < i; ++j) *to++ = product(x, others + (j - 1) * numbers_);
      }
      first += numbers_;
      others += (vectors_ - 1) * numbers_;
    }
  }

  /// p = x_i . x_j gives x_i the gradient dp x_j, and x_j dp x_i.
  void backward(const BackwardData& data) const override {
    prepare(data.input_update, data.input_gradient);
    prepare(data.second_update, data.second_gradient);
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* slope = data.output_gradient.data() + sample * out_;
      if (!data.input_gradient.empty()) add_columns(slope, numbers_, 1, vector(data.input_gradient, {}, sample, 0));
      slope += numbers_;
      for (std::int64_t i = 1; i < vectors_; ++i) {
        for (std::int64_t j = 0; j < i; ++j, ++slope) add_pair(data, sample, i, j, *slope);
      }
    }
  }

 private:
  [[nodiscard]] float product(const float* a, const float* b) const {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t n = 0; n < numbers_; ++n) sum += a[n] * b[n];
    return sum;
  }

  static void prepare(Update update, std::span<float> gradient) {
    if (update == Update::overwrite) std::fill(gradient.begin(), gradient.end(), 0.0F);
  }

  /// x_i of a sample, or its gradient; null where nobody needs that.
  template <class Number>
  Number* vector(std::span<Number> first, std::span<Number> others, std::int64_t sample, std::int64_t i) const {
    const std::span<Number> of = i == 0 ? first : others;
    const std::int64_t at = i == 0 ? sample : sample * (vectors_ - 1) + i - 1;
    return of.empty() ? nullptr : of.data() + at * numbers_;
  }

  void add_pair(const BackwardData& data, std::int64_t sample, std::int64_t i, std::int64_t j, float slope) const {
    add_scaled(vector(data.input, data.second, sample, j), slope,
               vector(data.input_gradient, data.second_gradient, sample, i));
    add_scaled(vector(data.input, data.second, sample, i), slope,
               vector(data.input_gradient, data.second_gradient, sample, j));
  }

  void add_scaled(const float* __restrict x, float slope, float* __restrict to) const {
    if (to == nullptr) return;
    for (std::int64_t n = 0; n < numbers_; ++n) to[n] += slope * x[n];
  }

  std::int64_t numbers_, vectors_, out_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_dot_interaction(const Layer& layer) {
  return std::make_unique<DotInteraction>(layer);
}

}  // namespace orrery
