#include "models/kernels/depthwise_convolution.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "models/kernels/columns.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// One vector of AVX-512, two of AVX2, of floats.
constexpr std::int64_t lanes = 16;
using Lanes = std::array<float, lanes>;

// Calls work(first, width) for channels [first, first + width), first to last: width is a constant of the type system
// (the compiler then unrolls loops up to it) for whole vectors, and a number for what is left.
template <class Work>
void for_each_run_of_lanes(std::int64_t channels, Work work) {
  std::int64_t first = 0;
  for (; first + lanes <= channels; first += lanes) work(first, std::integral_constant<std::int64_t, lanes>{});
  if (first < channels) work(first, channels - first);
}

// A row of pixels: every pixel is a run of channels, the next one `step` numbers on.
template <class Number>
struct Pixels {
  Number* first;
  std::int64_t step;
};

// to += from times the weights of one place in the window, pixel by pixel.
template <class Width>
void add_weighted(Pixels<const float> from, const float* weights, std::int64_t pixels, Width width, Pixels<float> to) {
  Lanes weight{};
  for (std::int64_t i = 0; i < width; ++i) weight[i] = weights[i];
  for (std::int64_t x = 0; x < pixels; ++x, from.first += from.step, to.first += to.step) {
    const float* __restrict source = from.first;
    float* __restrict sum = to.first;
    for (std::int64_t i = 0; i < width; ++i) sum[i] += source[i] * weight[i];
  }
}

// sum += the products of two rows. Two pixels at a time, into sums of their own: an addition need not wait for the
// last.
template <class Width>
void add_products(Pixels<const float> a, Pixels<const float> b, std::int64_t pixels, Width width, float* sum) {
  Lanes even{}, odd{};
  for (; pixels > 1; pixels -= 2, a.first += 2 * a.step, b.first += 2 * b.step) {
    for (std::int64_t i = 0; i < width; ++i) even[i] += a.first[i] * b.first[i];
    for (std::int64_t i = 0; i < width; ++i) odd[i] += a.first[a.step + i] * b.first[b.step + i];
  }
  if (pixels > 0) {
    for (std::int64_t i = 0; i < width; ++i) even[i] += a.first[i] * b.first[i];
  }
  for (std::int64_t i = 0; i < width; ++i) sum[i] += even[i] + odd[i];
}

// Pixels of an output row at which one column of the window lies inside the image.
struct Columns {
  std::int64_t first = 0, count = 0;
};

// W: channels x (kernel row, kernel column), column-major: the weights of one place in the window lie together, as the
// channels of one pixel do. Every pass goes row by row through the products of a place in the window with the image.
class DepthwiseConvolution final : public LayerKernel {
 public:
  explicit DepthwiseConvolution(const Layer& layer) : layer_(layer), channels_(layer.in.channels) {
    ORRERY_EXPECT(layer.groups == channels_ && layer.out.channels == channels_);
    ORRERY_EXPECT(layer.out.height == (layer.in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    ORRERY_EXPECT(layer.out.width == (layer.in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1);
    for (std::int64_t k = 0; k < layer.kernel; ++k) {
      const std::int64_t before = layer.padding - k, inside = layer.in.width + before;  // of the padded row
      const std::int64_t first = before > 0 ? (before + layer.stride - 1) / layer.stride : 0;
      const std::int64_t end = inside > 0 ? std::min((inside - 1) / layer.stride + 1, layer.out.width) : 0;
      columns_.push_back({first, std::max<std::int64_t>(end - first, 0)});
    }
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    return {weights(), layer_.bias ? channels_ : 0, layer_.kernel * layer_.kernel};
  }

  void forward(const ForwardData& data) const override {
    const float* parameters = data.parameters.data();
    const std::int64_t pixels = layer_.out.height * layer_.out.width;
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* image = data.input.data() + sample * layer_.in.count();
      float* output = data.output.data() + sample * layer_.out.count();
      fill_columns(layer_.bias ? parameters + weights() : nullptr, channels_, pixels, output);
      for_each_row([&](std::int64_t in, std::int64_t weight, std::int64_t out, std::int64_t count, auto width) {
        add_weighted({image + in, in_step()}, parameters + weight, count, width, {output + out, channels_});
      });
    }
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) input_gradient(data);
    if (!data.parameter_gradient.empty()) parameter_gradient(data);
  }

 private:
  [[nodiscard]] std::int64_t weights() const { return layer_.kernel * layer_.kernel * channels_; }
  [[nodiscard]] std::int64_t in_step() const { return layer_.stride * channels_; }

  void input_gradient(const BackwardData& data) const {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      float* to = data.input_gradient.data() + sample * layer_.in.count();
      if (data.input_update == Update::overwrite) std::fill_n(to, layer_.in.count(), 0.0F);
      for_each_row([&](std::int64_t in, std::int64_t weight, std::int64_t out, std::int64_t count, auto width) {
        add_weighted({gradient + out, channels_}, data.parameters.data() + weight, count, width, {to + in, in_step()});
      });
    }
  }

  void parameter_gradient(const BackwardData& data) const {
    float* to = data.parameter_gradient.data();
    if (data.parameter_update == Update::overwrite) std::fill_n(to, data.parameter_gradient.size(), 0.0F);
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      const float* gradient = data.output_gradient.data() + sample * layer_.out.count();
      const float* image = data.input.data() + sample * layer_.in.count();
      for_each_row([&](std::int64_t in, std::int64_t weight, std::int64_t out, std::int64_t count, auto width) {
        add_products({gradient + out, channels_}, {image + in, in_step()}, count, width, to + weight);
      });
      if (layer_.bias) add_columns(gradient, channels_, layer_.out.height * layer_.out.width, to + weights());
    }
  }

  // visit(input, weights, output, pixels, channels): where a run of channels starts in the first of the pixels of an
  // output row that one place in the window brings together with the image.
  template <class Visit>
  void for_each_row(Visit visit) const {
    for (std::int64_t y = 0; y < layer_.out.height; ++y) {
      const std::int64_t top = y * layer_.stride - layer_.padding;
      for (std::int64_t place = 0; place < layer_.kernel * layer_.kernel; ++place) {
        const std::int64_t row = top + place / layer_.kernel, column = place % layer_.kernel;
        const Columns& columns = columns_[static_cast<std::size_t>(column)];
        if (row < 0 || row >= layer_.in.height || columns.count == 0) continue;
        const std::int64_t x = columns.first * layer_.stride - layer_.padding + column;
        for_each_run_of_lanes(channels_, [&](std::int64_t channel, auto width) {
          visit((row * layer_.in.width + x) * channels_ + channel, place * channels_ + channel,
                (y * layer_.out.width + columns.first) * channels_ + channel, columns.count, width);
        });
      }
    }
  }

  Layer layer_;
  std::int64_t channels_;
  std::vector<Columns> columns_;  // by column of the window
};

}  // namespace

std::unique_ptr<LayerKernel> make_depthwise_convolution(const Layer& layer) {
  return std::make_unique<DepthwiseConvolution>(layer);
}

}  // namespace orrery
