#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The deviation of GPT-2's first embeddings (Radford et al. 2019, and its published code).
constexpr double first_deviation = 0.02;

/// The vectors of all positions, one after the other, are one column as long as a sample.
class PositionEmbedding final : public LayerKernel {
 public:
  explicit PositionEmbedding(const Layer& layer) : count_(layer.in.count()) { ORRERY_EXPECT(layer.in == layer.out); }
  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = count_}; }
  [[nodiscard]] InPlace in_place() const override { return InPlace::possible; }

  void initialise(std::span<float> parameters, Random& random) const override {
    for (float& parameter : parameters) parameter = static_cast<float>(first_deviation * random.normal());
  }

  void forward(const ForwardData& data) const override {
    const float *input = data.input.data(), *vectors = data.parameters.data();
    float* output = data.output.data();
    for (std::int64_t sample = 0; sample < data.samples; ++sample, input += count_, output += count_) {
#pragma omp simd
      for (std::int64_t i = 0; i < count_; ++i) output[i] = input[i] + vectors[i];
    }
  }

  void backward(const BackwardData& data) const override {
    if (!data.parameter_gradient.empty()) {
      if (data.parameter_update == Update::overwrite) std::fill_n(data.parameter_gradient.data(), count_, 0.0F);
      add_columns(data.output_gradient.data(), count_, data.samples, data.parameter_gradient.data());
    }
    pass_on(data.output_gradient, data.input_update, data.input_gradient);
  }

 private:
  std::int64_t count_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_position_embedding(const Layer& layer) {
  return std::make_unique<PositionEmbedding>(layer);
}

}  // namespace orrery
