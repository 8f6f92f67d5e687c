#include <algorithm>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The convolution that goes the other way: from our output to our input, with the same weights.
Layer reversed(Layer layer) {
  std::swap(layer.in, layer.out);
  layer.kind = LayerKind::convolution;
  layer.bias = false;
  return layer;
}

// Forward is that convolution's gradient of its input; backward is its forward pass.
class TransposedConvolution final : public LayerKernel {
 public:
  explicit TransposedConvolution(const Layer& layer) : layer_(layer), reversed_(make_convolution(reversed(layer))) {
    ORRERY_EXPECT(layer.out.height == (layer.in.height - 1) * layer.stride - 2 * layer.padding + layer.kernel);
    ORRERY_EXPECT(layer.out.width == (layer.in.width - 1) * layer.stride - 2 * layer.padding + layer.kernel);
  }

  // A window reaches an output pixel from one in stride x stride places.
  [[nodiscard]] ParameterCount parameter_count() const override {
    const std::int64_t reached = layer_.kernel * layer_.kernel / (layer_.stride * layer_.stride);
    return {weights(), layer_.bias ? layer_.out.channels : 0,
            layer_.in.channels / layer_.groups * std::max<std::int64_t>(reached, 1)};
  }

  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return reversed_->scratch_count(samples) + samples * layer_.in.count();
  }

  void forward(const ForwardData& data) const override {
    const std::int64_t pixels = data.samples * layer_.out.height * layer_.out.width;
    if (layer_.bias) {
      fill_columns(data.parameters.data() + weights(), layer_.out.channels, pixels, data.output.data());
    }
    BackwardData back;
    back.samples = data.samples;
    back.parameters = data.parameters;
    back.output_gradient = data.input;
    back.input_gradient = data.output;
    back.input_update = layer_.bias ? Update::add : Update::overwrite;
    back.scratch = data.scratch;
    reversed_->backward(back);
  }

  void backward(const BackwardData& data) const override {
    if (!data.input_gradient.empty()) input_gradient(data);
    if (!data.parameter_gradient.empty()) parameter_gradient(data);
  }

 private:
  [[nodiscard]] std::int64_t weights() const { return reversed_->parameter_count().weights; }

  void input_gradient(const BackwardData& data) const {
    const auto count = data.input_gradient.size();
    const bool adds = data.input_update == Update::add;
    ForwardData there;
    there.samples = data.samples;
    there.parameters = data.parameters;
    there.input = data.output_gradient;
    there.output = adds ? data.scratch.first(count) : data.input_gradient;
    there.scratch = data.scratch.subspan(count);
    reversed_->forward(there);
    if (adds) add_columns(there.output.data(), data.samples * layer_.in.count(), 1, data.input_gradient.data());
  }

  void parameter_gradient(const BackwardData& data) const {
    BackwardData back;
    back.samples = data.samples;
    back.parameters = data.parameters;
    back.input = data.output_gradient;
    back.output_gradient = data.input;
    back.parameter_gradient = data.parameter_gradient.first(static_cast<std::size_t>(weights()));
    back.parameter_update = data.parameter_update;
    back.scratch = data.scratch;
    reversed_->backward(back);
    if (!layer_.bias) return;
    const auto biases = data.parameter_gradient.subspan(static_cast<std::size_t>(weights()));
    if (data.parameter_update == Update::overwrite) std::fill(biases.begin(), biases.end(), 0.0F);
    const std::int64_t pixels = data.samples * layer_.out.height * layer_.out.width;
    add_columns(data.output_gradient.data(), layer_.out.channels, pixels, biases.data());
  }

  Layer layer_;
  std::unique_ptr<LayerKernel> reversed_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_transposed_convolution(const Layer& layer) {
  return std::make_unique<TransposedConvolution>(layer);
}

}  // namespace orrery
