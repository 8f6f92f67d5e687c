// Tensor parallelism for real: every rank executes its part of every layer, with the exchanges that the simulation
// plans (split_tensor). Dropout on a split output draws for the part, so other numbers than one device would.
#include <algorithm>
#include <memory>
#include <utility>

#include "models/kernels/all_finite.hpp"
#include "models/training/training_step.hpp"
#include "scenarios/measure/group_exchange.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/tensor_activations.hpp"
#include "scenarios/measure/tensor_part.hpp"
#include "scenarios/measure/tensor_weights.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// What each device has of every layer.
std::vector<std::vector<LayerPart>> parts_by_device(const ExecutionPlan& plan, int devices) {
  const TensorSplit split = split_tensor(plan.graph(), devices);
  std::vector<std::vector<LayerPart>> parts;
  for (int device = 0; device < devices; ++device) parts.push_back(parts_of(plan, split, devices, device));
  return parts;
}

class TensorDevice final : public RealStep {
 public:
  explicit TensorDevice(const RealJob& job)
      : job_(job),
        plan_(*job.plan),
        exchange_(job_),
        parts_(parts_by_device(plan_, job.job.strategy.devices)),
        weights_(job_, parts_),
        activations_(job_, parts_, exchange_) {
    refuse_clipping(job.optimizer, "every device has the gradients of its part only");
    make_kernels();
  }

  BatchResult run(const Batch& batch) override {
    const auto micro_steps = static_cast<std::size_t>(job_.job.strategy.accumulation);
    ORRERY_EXPECT(batch.samples % micro_steps == 0);
    const std::size_t each = batch.samples / micro_steps;
    weights_.clear_gradients();
    BatchResult sum;
    for (std::size_t step = 0; step < micro_steps; ++step) {
      batch_ = batch.part(step * each, each);
      reserve();
      activations_.start(batch_, static_cast<int>(step));
      for (std::size_t i = 0; i < plan_.kernels(); ++i) forward(i);
      sum += loss(mean_divisor(plan_, batch.samples));
      for (std::size_t i = plan_.kernels(); i-- > 0;) backward(i);
      activations_.computed(Phase::backward);
    }
    require_finite(sum, ++steps_, job_.optimizer, [this] { return first_not_finite(); });
    weights_.update(exchange_);
    return job_.communicator.rank() == 0 ? sum : BatchResult{};
  }

  std::vector<float> weights() override { return weights_.collect(); }

 private:
  [[nodiscard]] const LayerPart& part(std::size_t layer) const {
    return parts_[static_cast<std::size_t>(job_.communicator.rank())][layer];
  }

  void make_kernels() {
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      kernels_.push_back(make_layer_kernel(part(i).layer));
      const ParameterCount count = kernels_.back()->parameter_count();
      ORRERY_EXPECT(static_cast<std::size_t>(count.weights + count.biases) == part(i).parameters.size());
      ORRERY_EXPECT(static_cast<std::size_t>(kernels_.back()->state_count()) == part(i).state.size());
    }
  }

  /// Memory for this many samples; it only grows.
  void reserve() {
    if (batch_.samples <= reserved_) return;
    reserved_ = batch_.samples;
    std::int64_t scratch = 0;
    kept_.resize(plan_.kernels());
    sums_.resize(plan_.kernels());
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      kept_[i].resize(reserved_ * static_cast<std::size_t>(kernels_[i]->kept_count()));
      sums_[i].resize(2 * static_cast<std::size_t>(kernels_[i]->batch_sum_count()));
      scratch = std::max(scratch, kernels_[i]->scratch_count(static_cast<std::int64_t>(reserved_)));
    }
    scratch_.resize(static_cast<std::size_t>(scratch));
  }

  [[nodiscard]] ForwardData forward_data(std::size_t i) {
    const LayerPart& layer = part(i);
    ForwardData data;
    data.samples = static_cast<std::int64_t>(batch_.samples);
    data.input = activations_.operand(layer, layer.layer.input);
    if (layer.mode == SplitMode::vocabulary) data.input = own_tokens(layer, data.input);
    if (layer.layer.skip.valid()) data.second = activations_.operand(layer, layer.layer.skip);
    data.parameters = weights_.parameters(i);
    if (layer.layer.tied) data.tied_table = weights_.tied_table(i);
    data.output = activations_.output(i);
    data.kept = std::span<float>(kept_[i]).first(batch_.samples * static_cast<std::size_t>(kernels_[i]->kept_count()));
    data.scratch = scratch_;
    data.state = weights_.state(i);
    const int rank = layer.split_output ? job_.communicator.rank() : 0;
    data.context = {Mode::training, draws_of_step(job_.job.scenario.seed, steps_, rank), 0, data.samples, {}};
    return data;
  }

  /// Tokens of other devices become the row of zeros.
  std::span<const float> own_tokens(const LayerPart& layer, std::span<const float> tokens) {
    const auto first = static_cast<float>(layer.first_token), last = static_cast<float>(layer.layer.vocabulary - 1);
    tokens_.resize(tokens.size());
    std::transform(tokens.begin(), tokens.end(), tokens_.begin(), [&](float token) {
      const bool own = token >= first && token < first + last;
      return own ? token - first : last;
    });
    return tokens_;
  }

  void forward(std::size_t i) {
    activations_.restart(i);
    const LayerPart& layer = part(i);
    if (is_view(layer.layer.kind)) return;
    ForwardData data = forward_data(i);
    const std::span<double> sums = std::span<double>(sums_[i]).first(sums_[i].size() / 2);
    if (!sums.empty()) {
      kernels_[i]->forward_sums(data, sums);
      data.context.batch_sums = sums;
      kernels_[i]->update_state(data.context, weights_.state(i));
    }
    kernels_[i]->forward(data);
    if (layer.mode != SplitMode::row && layer.mode != SplitMode::vocabulary) return;
    activations_.add_up_output(i);
  }

  BatchResult loss(double divisor) {
    const LayerPart& layer = part(plan_.kernels());
    const std::span<const float> scores = activations_.operand(layer, layer.layer.input);
    const BatchResult result = plan_.loss().value(scores, batch_.targets);
    activations_.computed(Phase::forward);
    const GradientPlace place = activations_.gradient_place(layer, layer.layer.input);
    if (!place.numbers.empty()) plan_.loss().gradient(scores, batch_.targets, divisor, place.numbers);
    return result;
  }

  void backward(std::size_t i) {
    const LayerPart& layer = part(i);
    if (!plan_.steps(i).slot || is_view(layer.layer.kind)) return;
    activations_.complete_gradient(i);
    const ForwardData forward = forward_data(i);
    BackwardData data{forward.samples, forward.parameters, forward.tied_table, forward.input,
                      forward.output,  forward.second,     forward.kept,       forward.scratch};
    data.output_gradient = activations_.gradient(i);
    data.context = forward.context;
    if (plan_.steps(i).trains) {
      data.parameter_gradient = weights_.gradient(i);
      if (layer.layer.tied) data.tied_gradient = weights_.tied_gradient(i);
    }
    data.parameter_update = Update::add;
    run_backward_sums(i, data);
    if (layer.layer.skip.valid()) {  // first, as kernels write it: both may be one value's
      const GradientPlace second = activations_.gradient_place(layer, layer.layer.skip);
      data.second_gradient = second.numbers;
      data.second_update = second.update;
    }
    const GradientPlace input = activations_.gradient_place(layer, layer.layer.input);
    data.input_gradient = input.numbers;
    data.input_update = input.update;
    kernels_[i]->backward(data);
    if (layer.mode == SplitMode::vocabulary) weights_.clear_row_of_zeros(i);
  }

  /// On this device.
  [[nodiscard]] std::string first_not_finite() {
    const std::vector<Layer>& layers = plan_.graph().layers;
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      if (is_view(part(i).layer.kind)) continue;
      if (!all_finite(activations_.output(i))) return layers[i].name;
    }
    return layers.back().name;
  }

  void run_backward_sums(std::size_t i, BackwardData& data) {
    std::vector<double>& sums = sums_[i];
    if (sums.empty()) return;
    data.context.batch_sums = std::span<const double>(sums).first(sums.size() / 2);
    kernels_[i]->backward_sums(data, std::span<double>(sums).last(sums.size() / 2));
    data.context.batch_sums = sums;
  }

  RealJob job_;
  const ExecutionPlan& plan_;
  GroupExchange exchange_;
  std::vector<std::vector<LayerPart>> parts_;  // by device, by layer
  TensorWeights weights_;
  std::vector<std::unique_ptr<LayerKernel>> kernels_;
  TensorActivations activations_;
  std::vector<AlignedVector> kept_;  // by layer
  BatchSums sums_;
  AlignedVector scratch_, tokens_;
  std::size_t reserved_ = 0;
  Batch batch_;  // the micro-step under way
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<RealStep> make_tensor_parallel(const RealJob& job) {
  return std::make_unique<TensorDevice>(job);
}

}  // namespace orrery
