#include <algorithm>
#include <cmath>

#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double smallest_variance = 1e-5;  // Wu and He 2018, and PyTorch's default

/// Moments over all positions and the channels of a group of one sample. Parameters: scales, then shifts, per channel.
/// Kept: mean and 1 / deviation of every group.
class GroupNorm final : public LayerKernel {
 public:
  explicit GroupNorm(const Layer& layer)
      : groups_(layer.groups), channels_(layer.in.channels), positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(layer.in == layer.out && channels_ % groups_ == 0);
  }
  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = channels_, .biases = channels_}; }
  [[nodiscard]] std::int64_t kept_count() const override { return 2 * groups_; }

  void initialise(std::span<float> parameters, Random& /*random*/) const override {
    std::fill_n(parameters.data(), channels_, 1.0F);
    std::fill_n(parameters.data() + channels_, channels_, 0.0F);
  }

  void forward(const ForwardData& data) const override {
    const float *scale = data.parameters.data(), *shift = scale + channels_;
    float* output = data.output.data();
    for_each_group(data.samples, [&](std::int64_t first, std::int64_t group, std::int64_t channel) {
      const float* input = data.input.data() + first;
      double sum = 0, squares = 0;
      over([&](std::int64_t i, std::int64_t) { sum += static_cast<double>(input[i]); });
      const double mean = sum / static_cast<double>(size());
      over([&](std::int64_t i, std::int64_t) {
        squares += (static_cast<double>(input[i]) - mean) * (static_cast<double>(input[i]) - mean);
      });
      const auto centre = static_cast<float>(mean);
      const auto inverse = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(size()) + smallest_variance));
      data.kept[static_cast<std::size_t>(2 * group)] = centre;
      data.kept[static_cast<std::size_t>(2 * group + 1)] = inverse;
      over([&](std::int64_t i, std::int64_t c) {
        output[first + i] = (input[i] - centre) * inverse * scale[channel + c] + shift[channel + c];
      });
    });
  }

  // With n the normalised input and g = scale dy: dx = (g - mean(g) - n mean(g n)) / deviation; dscale = sum dy n,
  // dshift = sum dy.
  void backward(const BackwardData& data) const override {
    const std::span<float> own = data.parameter_gradient;
    if (data.parameter_update == Update::overwrite) std::fill(own.begin(), own.end(), 0.0F);
    const float* scale = data.parameters.data();
    for_each_group(data.samples, [&](std::int64_t first, std::int64_t group, std::int64_t channel) {
      const float *input = data.input.data() + first, *gradient = data.output_gradient.data() + first;
      const float mean = data.kept[static_cast<std::size_t>(2 * group)];
      const float inverse = data.kept[static_cast<std::size_t>(2 * group + 1)];
      double sum = 0, product = 0;
      over([&](std::int64_t i, std::int64_t c) {
        const auto passed = static_cast<double>(scale[channel + c] * gradient[i]);
        sum += passed;
        product += passed * static_cast<double>((input[i] - mean) * inverse);
      });
      const auto average = static_cast<float>(sum / static_cast<double>(size()));
      const auto slope = static_cast<float>(product / static_cast<double>(size()));
      over([&](std::int64_t i, std::int64_t c) {
        const float normalised = (input[i] - mean) * inverse;
        if (!data.input_gradient.empty()) {
          float& to = data.input_gradient[static_cast<std::size_t>(first + i)];
          const float passed = (scale[channel + c] * gradient[i] - average - normalised * slope) * inverse;
          to = data.input_update == Update::add ? to + passed : passed;
        }
        if (own.empty()) return;
        own[static_cast<std::size_t>(channel + c)] += gradient[i] * normalised;
        own[static_cast<std::size_t>(channels_ + channel + c)] += gradient[i];
      });
    });
  }

 private:
  [[nodiscard]] std::int64_t size() const { return positions_ * (channels_ / groups_); }

  /// visit(place of its first number, its number, its first channel) of every group of every sample.
  template <class Visit>
  void for_each_group(std::int64_t samples, Visit visit) const {
    for (std::int64_t group = 0; group < samples * groups_; ++group) {
      const std::int64_t channel = group % groups_ * (channels_ / groups_);
      visit(group / groups_ * positions_ * channels_ + channel, group, channel);
    }
  }

  /// visit(place after the group's first number, channel within the group) of all numbers of a group.
  template <class Visit>
  void over(Visit visit) const {
    for (std::int64_t position = 0; position < positions_; ++position) {
      for (std::int64_t c = 0; c < channels_ / groups_; ++c) visit(position * channels_ + c, c);
    }
  }

  std::int64_t groups_, channels_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_group_norm(const Layer& layer) {
  return std::make_unique<GroupNorm>(layer);
}

}  // namespace orrery
