#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double first_deviation = 0.02;  // as position embeddings

/// The tokens of the input, then one more that is trained.
class ClassToken final : public LayerKernel {
 public:
  explicit ClassToken(const Layer& layer) : in_(layer.in.count()), channels_(layer.in.channels) {
    ORRERY_EXPECT(layer.in.width == 1 && layer.out.count() == in_ + channels_);
  }
  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = channels_}; }

  void initialise(std::span<float> parameters, Random& random) const override {
    for (float& parameter : parameters) parameter = static_cast<float>(first_deviation * random.normal());
  }

  void forward(const ForwardData& data) const override {
    const float* input = data.input.data();
    float* to = data.output.data();
    for (std::int64_t sample = 0; sample < data.samples; ++sample, input += in_) {
      to = std::copy_n(input, in_, to);
      to = std::copy_n(data.parameters.data(), channels_, to);
    }
  }

  void backward(const BackwardData& data) const override {
    const std::span<float> own = data.parameter_gradient;
    if (data.parameter_update == Update::overwrite) std::fill(own.begin(), own.end(), 0.0F);
    const auto count = static_cast<std::size_t>(in_);
    std::span<const float> gradient = data.output_gradient;
    for (std::size_t sample = 0; sample < static_cast<std::size_t>(data.samples); ++sample) {
      if (!data.input_gradient.empty()) {
        pass_on(gradient.first(count), data.input_update, data.input_gradient.subspan(sample * count, count));
      }
      if (!own.empty()) add_columns(gradient.data() + count, channels_, 1, own.data());
      gradient = gradient.subspan(count + static_cast<std::size_t>(channels_));
    }
  }

 private:
  std::int64_t in_, channels_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_class_token(const Layer& layer) {
  return std::make_unique<ClassToken>(layer);
}

}  // namespace orrery
