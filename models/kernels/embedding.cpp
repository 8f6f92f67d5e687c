#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The deviation of GPT-2's first embeddings (Radford et al. 2019, and its published code).
constexpr double first_deviation = 0.02;

class Embedding final : public LayerKernel {
 public:
  explicit Embedding(const Layer& layer)
      : hidden_(layer.out.channels),
        tokens_(layer.in.count()),
        vocabulary_(layer.vocabulary),
        positions_(layer.positions),
        segments_(layer.segments) {
    ORRERY_EXPECT(layer.out.height == tokens_);
    ORRERY_EXPECT(positions_ == 0 || positions_ >= tokens_);
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    return {.weights = hidden_ * (vocabulary_ + positions_ + segments_)};
  }

  void initialise(std::span<float> parameters, Random& random) const override {
    for (float& parameter : parameters) parameter = static_cast<float>(first_deviation * random.normal());
  }

  void forward(const ForwardData& data) const override {
    const float* table = data.parameters.data();
    for (std::int64_t column = 0; column < data.samples * tokens_; ++column) {
      float* output = data.output.data() + column * hidden_;
      std::copy_n(table + hidden_ * row_of(data.input, column), hidden_, output);
      if (positions_ > 0) add_columns(table + hidden_ * (vocabulary_ + column % tokens_), hidden_, 1, output);
      if (segments_ > 0) add_columns(table + hidden_ * (vocabulary_ + positions_), hidden_, 1, output);
    }
  }

  /// The numbers of tokens have no gradient: that of the input is 0.
  void backward(const BackwardData& data) const override {
    if (data.input_update == Update::overwrite) std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    if (data.parameter_gradient.empty()) return;
    if (data.parameter_update == Update::overwrite) {
      std::fill(data.parameter_gradient.begin(), data.parameter_gradient.end(), 0.0F);
    }
    float* table = data.parameter_gradient.data();
    const float* gradient = data.output_gradient.data();
    for (std::int64_t column = 0; column < data.samples * tokens_; ++column) {
      add_columns(gradient + column * hidden_, hidden_, 1, table + hidden_ * row_of(data.input, column));
    }
    if (positions_ > 0) add_columns(gradient, hidden_ * tokens_, data.samples, table + hidden_ * vocabulary_);
    if (segments_ > 0) {
      add_columns(gradient, hidden_, data.samples * tokens_, table + hidden_ * (vocabulary_ + positions_));
    }
  }

 private:
  // Data sets are checked when they are loaded. NaN fails both comparisons.
  [[nodiscard]] std::int64_t row_of(std::span<const float> tokens, std::int64_t column) const {
    const float token = tokens[static_cast<std::size_t>(column)];
    ORRERY_EXPECT(token >= 0.0F && token < static_cast<float>(vocabulary_));
    return static_cast<std::int64_t>(token);
  }

  std::int64_t hidden_, tokens_, vocabulary_, positions_, segments_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_embedding(const Layer& layer) {
  return std::make_unique<Embedding>(layer);
}

}  // namespace orrery
