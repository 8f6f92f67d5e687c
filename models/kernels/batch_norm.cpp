#include <algorithm>
#include <array>
#include <cmath>

#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double epsilon = 1e-5, momentum = 0.1;  // PyTorch's defaults; epsilon also Ioffe and Szegedy's code

// Pixels of few channels are worked on several at a time, as one wide pixel: loops of a few numbers are mostly ends.
constexpr std::int64_t wide = 64;

struct Rows {
  std::int64_t width = 0, count = 0;  // numbers of a wide pixel, wide pixels
  std::int64_t rest = 0;              // pixels left over

  Rows(std::int64_t pixels, std::int64_t channels) {
    const std::int64_t together = std::max<std::int64_t>(wide / channels, 1);
    width = together * channels;
    count = pixels / together;
    rest = pixels % together;
  }
};

// Channels last; sums in double.
void add_moments(const float* __restrict pixel, std::int64_t pixels, std::int64_t channels, double* __restrict sum,
                 double* __restrict squares) {
  for (std::int64_t i = 0; i < pixels; ++i, pixel += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const double x = pixel[c];
      sum[c] += x;
      squares[c] += x * x;
    }
  }
}

void add_gradient_moments(const float* __restrict gradient, const float* __restrict input, const float* __restrict mean,
                          std::int64_t pixels, std::int64_t channels, double* __restrict sum,
                          double* __restrict products) {
  for (std::int64_t i = 0; i < pixels; ++i, gradient += channels, input += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const double g = gradient[c];
      sum[c] += g;
      products[c] += g * static_cast<double>(input[c] - mean[c]);
    }
  }
}

void scale_and_shift(const float* __restrict from, const float* __restrict scale, const float* __restrict shift,
                     std::int64_t pixels, std::int64_t channels, float* __restrict to) {
  for (std::int64_t i = 0; i < pixels; ++i, from += channels, to += channels) {
    for (std::int64_t c = 0; c < channels; ++c) to[c] = from[c] * scale[c] + shift[c];
  }
}

// What dx = of_gradient dy + of_input x + constant is made of, per channel.
struct Slopes {
  float *of_gradient, *of_input, *constant;
};

template <Update update>
void put_input_gradient(const float* __restrict gradient, const float* __restrict input, const Slopes& slopes,
                        std::int64_t pixels, std::int64_t channels, float* __restrict to) {
  const float* __restrict a = slopes.of_gradient;
  const float* __restrict b = slopes.of_input;
  const float* __restrict constant = slopes.constant;
  for (std::int64_t i = 0; i < pixels; ++i, gradient += channels, input += channels, to += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float before = update == Update::add ? to[c] : 0.0F;
      to[c] = before + (a[c] * gradient[c] + (b[c] * input[c] + constant[c]));
    }
  }
}

struct Moments {
  double mean = 0, variance = 0;
  [[nodiscard]] double inverse_deviation() const { return 1 / std::sqrt(variance + epsilon); }
};

// Ioffe, Szegedy: Batch Normalization (ICML 2015), algorithm 1 and the gradients below it. Sums over the batch:
// forward x and x^2, backward dy and dy (x - mean), each per channel.
class BatchNorm final : public LayerKernel {
 public:
  explicit BatchNorm(const Layer& layer) : channels_(layer.in.channels), pixels_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(layer.in == layer.out);
  }

  [[nodiscard]] ParameterCount parameter_count() const override { return {2 * channels_, 0, 1}; }
  void initialise(std::span<float> parameters, Random& /*random*/) const override {
    const auto shift = std::fill_n(parameters.begin(), channels_, 1.0F);
    std::fill(shift, parameters.end(), 0.0F);
  }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t /*samples*/) const override { return 3 * room(); }
  [[nodiscard]] std::int64_t batch_sum_count() const override { return 2 * channels_; }
  [[nodiscard]] std::int64_t state_count() const override { return 2 * channels_; }
  void initialise_state(std::span<float> state) const override {
    const auto variances = std::fill_n(state.begin(), channels_, 0.0F);
    std::fill(variances, state.end(), 1.0F);
  }

  void forward_sums(const ForwardData& data, std::span<double> sums) const override {
    add_sums(data.samples, sums,
             [&](std::int64_t at, std::int64_t pixels, std::int64_t channels, double* sum, double* squares) {
               add_moments(data.input.data() + at, pixels, channels, sum, squares);
             });
  }

  void backward_sums(const BackwardData& data, std::span<double> sums) const override {
    float* means = data.scratch.data();
    for (std::int64_t c = 0; c < channels_; ++c) means[c] = static_cast<float>(batch_moments(data.context, c).mean);
    repeat(means);
    add_sums(data.samples, sums,
             [&](std::int64_t at, std::int64_t pixels, std::int64_t channels, double* sum, double* products) {
               add_gradient_moments(data.output_gradient.data() + at, data.input.data() + at, means, pixels, channels,
                                    sum, products);
             });
  }

  void forward(const ForwardData& data) const override {
    float* scale = data.scratch.data();
    float* shift = scale + room();
    for (std::int64_t c = 0; c < channels_; ++c) {
      const Moments moments = data.context.mode == Mode::training ? batch_moments(data.context, c)
                                                                  : Moments{data.state[c], data.state[channels_ + c]};
      const double slope = data.parameters[c] * moments.inverse_deviation();
      scale[c] = static_cast<float>(slope);
      shift[c] = static_cast<float>(data.parameters[channels_ + c] - moments.mean * slope);
    }
    repeat(scale);
    repeat(shift);
    for_all_pixels(data.samples, [&](std::int64_t at, std::int64_t pixels, std::int64_t channels) {
      scale_and_shift(data.input.data() + at, scale, shift, pixels, channels, data.output.data() + at);
    });
  }

  void backward(const BackwardData& data) const override {
    ORRERY_EXPECT(data.context.mode == Mode::training);
    if (!data.input_gradient.empty()) input_gradient(data);
    if (!data.parameter_gradient.empty()) parameter_gradient(data);
  }

  void update_state(const BatchContext& context, std::span<float> state) const override {
    const double count = numbers_per_channel(context), unbiased = count / std::max(count - 1, 1.0);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const Moments moments = batch_moments(context, c);
      const auto average = [](float& running, double value) {
        running = static_cast<float>((1 - momentum) * running + momentum * value);
      };
      average(state[c], moments.mean);
      average(state[channels_ + c], moments.variance * unbiased);
    }
  }

 private:
  [[nodiscard]] std::int64_t room() const { return std::max(channels_, wide); }

  // A number per channel, made one per number of a wide pixel. per_channel: room() numbers.
  void repeat(float* per_channel) const {
    const std::int64_t width = Rows(0, channels_).width;
    for (std::int64_t i = channels_; i < width; ++i) per_channel[i] = per_channel[i - channels_];
  }

  // work(first number, pixels, numbers per pixel): wide pixels, then the rest
  template <class Work>
  void for_all_pixels(std::int64_t samples, Work work) const {
    const Rows rows(samples * pixels_, channels_);
    work(0, rows.count, rows.width);
    work(rows.count * rows.width, rows.rest, channels_);
  }

  // add(first number, pixels, numbers per pixel, sums of one kind, sums of the other)
  template <class Add>
  void add_sums(std::int64_t samples, std::span<double> sums, Add add) const {
    std::fill(sums.begin(), sums.end(), 0.0);
    const Rows rows(samples * pixels_, channels_);
    double *first = sums.data(), *second = first + channels_;
    if (rows.width == channels_) return add(0, rows.count, channels_, first, second);
    std::array<double, wide> wide_first{}, wide_second{};
    add(0, rows.count, rows.width, wide_first.data(), wide_second.data());
    for (std::int64_t i = 0; i < rows.width; ++i) {
      first[i % channels_] += wide_first[i];
      second[i % channels_] += wide_second[i];
    }
    add(rows.count * rows.width, rows.rest, channels_, first, second);
  }

  [[nodiscard]] double numbers_per_channel(const BatchContext& context) const {
    return static_cast<double>(context.batch_samples * pixels_);
  }

  [[nodiscard]] Moments batch_moments(const BatchContext& context, std::int64_t channel) const {
    const double count = numbers_per_channel(context), mean = context.batch_sums[channel] / count;
    const double variance = context.batch_sums[channels_ + channel] / count - mean * mean;
    return {mean, variance < 0 ? 0 : variance};  // below 0 by rounding alone; not std::max, which would hide a NaN
  }

  void input_gradient(const BackwardData& data) const {
    float* scratch = data.scratch.data();
    const Slopes slopes{scratch, scratch + room(), scratch + 2 * room()};
    const double count = numbers_per_channel(data.context);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const Moments moments = batch_moments(data.context, c);
      const double inverse = moments.inverse_deviation(), slope = data.parameters[c] * inverse;
      const double gradient = data.context.batch_sums[2 * channels_ + c] / count;
      const double product = data.context.batch_sums[3 * channels_ + c] / count;
      const double of_input = -slope * inverse * inverse * product;
      slopes.of_gradient[c] = static_cast<float>(slope);
      slopes.of_input[c] = static_cast<float>(of_input);
      slopes.constant[c] = static_cast<float>(-slope * gradient - of_input * moments.mean);
    }
    for (float* slope : {slopes.of_gradient, slopes.of_input, slopes.constant}) repeat(slope);
    const auto put =
        data.input_update == Update::add ? put_input_gradient<Update::add> : put_input_gradient<Update::overwrite>;
    for_all_pixels(data.samples, [&](std::int64_t at, std::int64_t pixels, std::int64_t channels) {
      put(data.output_gradient.data() + at, data.input.data() + at, slopes, pixels, channels,
          data.input_gradient.data() + at);
    });
  }

  // The sums are those of the whole batch, of which every sample owns an equal part: the shards' gradients add up to
  // the batch's, and no shard goes over its numbers again.
  void parameter_gradient(const BackwardData& data) const {
    const double share = static_cast<double>(data.samples) / static_cast<double>(data.context.batch_samples);
    const auto put = [&](std::int64_t at, double value) {
      const float before = data.parameter_update == Update::add ? data.parameter_gradient[at] : 0.0F;
      data.parameter_gradient[at] = before + static_cast<float>(value);
    };
    for (std::int64_t c = 0; c < channels_; ++c) {
      const double inverse = batch_moments(data.context, c).inverse_deviation();
      put(c, share * inverse * data.context.batch_sums[3 * channels_ + c]);
      put(channels_ + c, share * data.context.batch_sums[2 * channels_ + c]);
    }
  }

  std::int64_t channels_, pixels_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_batch_norm(const Layer& layer) {
  return std::make_unique<BatchNorm>(layer);
}

}  // namespace orrery
