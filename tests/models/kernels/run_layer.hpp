// One layer, run forward and backward on plain vectors.
#pragma once

#include <vector>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

class RunLayer {
 public:
  explicit RunLayer(const Layer& layer) : layer_(layer), kernel_(make_layer_kernel(layer)) {}

  std::vector<float> forward(const std::vector<float>& parameters, const std::vector<float>& input) {
    parameters_ = parameters;
    input_ = input;
    samples_ = static_cast<std::int64_t>(input.size()) / layer_.in.count();
    output_.assign(static_cast<std::size_t>(samples_ * layer_.out.count()), 7.0F);  // 7: must be overwritten
    kernel_->forward({samples_, parameters_, input_, output_});
    return output_;
  }

  struct Gradients {
    std::vector<float> parameters, input;
  };
  /// After forward().
  Gradients backward(const std::vector<float>& output_gradient) {
    Gradients gradients{std::vector<float>(parameters_.size(), 7.0F), std::vector<float>(input_.size(), 7.0F)};
    kernel_->backward({samples_, parameters_, input_, output_, output_gradient, gradients.parameters, gradients.input});
    return gradients;
  }

  [[nodiscard]] std::size_t parameters() const {
    const ParameterCount count = kernel_->parameter_count();
    return static_cast<std::size_t>(count.weights + count.biases);
  }

 private:
  Layer layer_;
  std::unique_ptr<LayerKernel> kernel_;
  std::int64_t samples_ = 0;
  std::vector<float> parameters_, input_, output_;
};

}  // namespace orrery
