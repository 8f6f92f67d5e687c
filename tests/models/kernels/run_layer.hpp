// One layer, run forward and backward on plain vectors.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

class RunLayer {
 public:
  using Numbers = std::vector<float>;
  struct Gradients {
    Numbers parameters, input, second, tied;
  };

  explicit RunLayer(const Layer& layer) : layer_(layer), kernel_(make_layer_kernel(layer)) {
    state_.resize(static_cast<std::size_t>(kernel_->state_count()));
    kernel_->initialise_state(state_);
  }

  /// The second operand of residual_add and concatenate, and the table of a tied layer, are empty for all others.
  Numbers forward(const Numbers& parameters, const Numbers& input, const Numbers& second = {},
                  const Numbers& tied = {}) {
    parameters_ = parameters;
    input_ = input;
    second_ = second;
    tied_ = tied;
    samples_ = static_cast<std::int64_t>(input.size()) / layer_.in.count();
    context.batch_samples = samples_;
    output_.assign(static_cast<std::size_t>(samples_ * layer_.out.count()), stale);
    kept_.assign(static_cast<std::size_t>(samples_ * kernel_->kept_count()), stale);
    scratch_.assign(static_cast<std::size_t>(kernel_->scratch_count(samples_)), stale);
    ForwardData data{samples_, parameters_, tied_, input_, output_, second_, kept_, scratch_, state_, context};
    sums_.assign(static_cast<std::size_t>(2 * kernel_->batch_sum_count()), stale);
    if (context.mode == Mode::training) kernel_->forward_sums(data, std::span(sums_).first(sums_.size() / 2));
    data.context.batch_sums = std::span(sums_).first(sums_.size() / 2);
    kernel_->forward(data);
    return output_;
  }

  /// After forward(). `start`: what the gradients are added to when `update` is add.
  Gradients backward(const Numbers& output_gradient, Update update = Update::overwrite, float start = stale) {
    Gradients gradients{Numbers(parameters_.size(), start), Numbers(input_.size(), start),
                        Numbers(second_.size(), start), Numbers(tied_.size(), 0.0F)};
    scratch_.assign(scratch_.size(), stale);
    BackwardData data{samples_, parameters_, tied_, input_, output_, second_, kept_, scratch_};
    data.output_gradient = output_gradient;
    data.context = context;
    data.context.batch_sums = std::span(sums_).first(sums_.size() / 2);
    data.parameter_update = data.input_update = data.second_update = update;
    kernel_->backward_sums(data, std::span(sums_).subspan(sums_.size() / 2));
    data.context.batch_sums = sums_;
    data.parameter_gradient = gradients.parameters;
    data.input_gradient = gradients.input;
    data.second_gradient = gradients.second;
    data.tied_gradient = gradients.tied;
    kernel_->backward(data);
    return gradients;
  }

  /// After forward() in training: what the step makes of the running statistics.
  const Numbers& updated_state() {
    BatchContext with_sums = context;
    with_sums.batch_sums = std::span(sums_).first(sums_.size() / 2);
    kernel_->update_state(with_sums, state_);
    return state_;
  }

  [[nodiscard]] std::size_t parameters() const {
    const ParameterCount count = kernel_->parameter_count();
    return static_cast<std::size_t>(count.weights + count.biases);
  }
  [[nodiscard]] const LayerKernel& kernel() const { return *kernel_; }

  BatchContext context{.mode = Mode::training, .seed = 5};

 private:
  static constexpr float stale = 7.0F;  // what was there before: must be overwritten

  Layer layer_;
  std::unique_ptr<LayerKernel> kernel_;
  std::int64_t samples_ = 0;
  Numbers parameters_, input_, second_, tied_, output_, kept_, scratch_, state_;
  std::vector<double> sums_;
};

}  // namespace orrery
