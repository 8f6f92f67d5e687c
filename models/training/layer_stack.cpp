#include "models/training/layer_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

bool reads_previous(const Layer& layer, std::size_t index) {
  return !layer.input.valid() || (index > 0 && layer.input.index() == index - 1);
}

std::string why_not_in_place(const LayerGraph& graph, std::size_t index) {
  const Layer& layer = graph.layers[index];
  const bool last = index + 1 == graph.layers.size(), loss = layer.kind == LayerKind::softmax_cross_entropy;
  if (std::string reason = why_not_executable(layer); !reason.empty()) return reason;
  if (!reads_previous(layer, index)) return "a layer that does not read the one before it cannot be executed";
  if (last && !loss) return "the last layer of an executed network is softmax_cross_entropy";
  if (loss && !last) return "softmax_cross_entropy comes last in an executed network";
  return {};
}

void check_executable(const LayerGraph& graph) {
  Problems problems;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const std::string reason = why_not_in_place(graph, i);
    if (reason.empty()) continue;
    problems.add({.at = {.file = graph.name},
                  .key = fmt::format("layer \"{}\"", graph.layers[i].name),
                  .what = reason,
                  .why = {},
                  .suggestion = "this network can be simulated, but not trained here",
                  .source_line = {}});
  }
  problems.throw_if_any();
  ORRERY_EXPECT(!graph.layers.empty());
}

std::span<float> first(AlignedVector& numbers, std::size_t count) {
  return std::span<float>(numbers).first(count);
}

}  // namespace

LayerStack::LayerStack(const LayerGraph& graph) : graph_(graph) {
  check_executable(graph);
  offsets_.push_back(0);
  for (const Layer& layer : graph_.layers) {
    std::int64_t count = 0;
    if (layer.kind != LayerKind::softmax_cross_entropy) {
      kernels_.push_back(make_layer_kernel(layer));
      const ParameterCount parameters_of_layer = kernels_.back()->parameter_count();
      count = parameters_of_layer.weights + parameters_of_layer.biases;
    }
    ORRERY_EXPECT(count == parameters(layer));
    offsets_.push_back(offsets_.back() + static_cast<std::size_t>(count));
  }
  const auto trainable = std::upper_bound(offsets_.begin(), offsets_.end(), std::size_t{0});
  first_trainable_ = static_cast<std::size_t>(trainable - offsets_.begin()) - 1;
  outputs_.resize(kernels_.size());
}

std::size_t LayerStack::samples_per_slice() const {
  constexpr std::int64_t budget = std::int64_t{32} * 1024 * 1024;
  std::int64_t bytes = 0;
  for (const Layer& layer : graph_.layers) bytes += layer.out.count() * static_cast<std::int64_t>(sizeof(float));
  return static_cast<std::size_t>(std::max<std::int64_t>(1, budget / std::max<std::int64_t>(1, bytes)));
}

void LayerStack::initialise(std::span<float> parameters, Random& random) const {
  ORRERY_EXPECT(parameters.size() == parameter_count());
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const ParameterCount count = kernels_[i]->parameter_count();
    const std::span<float> part = part_of(i, parameters);
    const double deviation = std::sqrt(2.0 / static_cast<double>(count.fan_in));
    const auto weights = part.first(static_cast<std::size_t>(count.weights));
    for (float& weight : weights) weight = static_cast<float>(deviation * random.normal());
    std::fill(part.begin() + count.weights, part.end(), 0.0F);
  }
}

BatchResult LayerStack::forward(std::span<const float> parameters, const Batch& batch) {
  const FlushDenormals flush;
  run_forward(parameters, batch);
  BatchResult result;
  timed(kernels_.size(), Pass::forward,
        [&] { result = softmax_cross_entropy(input_of(kernels_.size(), batch), batch.labels); });
  return result;
}

BatchResult LayerStack::forward_backward(std::span<const float> parameters, const Batch& batch, double divisor,
                                         std::span<float> gradients) {
  ORRERY_EXPECT(gradients.size() == parameter_count());
  const FlushDenormals flush;
  const BatchResult result = forward(parameters, batch);
  run_backward(parameters, batch, divisor, gradients);
  return result;
}

void LayerStack::run_forward(std::span<const float> parameters, const Batch& batch) {
  const std::size_t samples = batch.labels.size();
  ORRERY_EXPECT(samples > 0 && parameters.size() == parameter_count());
  ORRERY_EXPECT(batch.inputs.size() == samples * static_cast<std::size_t>(graph_.input.count()));
  reserve(samples);
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    timed(i, Pass::forward, [&] {
      if (kernels_[i]->output_storage() == OutputStorage::same_as_input) return;
      const auto output = first(outputs_[i], samples * static_cast<std::size_t>(graph_.layers[i].out.count()));
      kernels_[i]->forward({static_cast<std::int64_t>(samples), part_of(i, parameters), input_of(i, batch), output});
    });
  }
}

void LayerStack::run_backward(std::span<const float> parameters, const Batch& batch, double divisor,
                              std::span<float> gradients) {
  const std::size_t samples = batch.labels.size();
  const auto sized = [&](AlignedVector& numbers, const Shape& shape) {
    return first(numbers, samples * static_cast<std::size_t>(shape.count()));
  };
  timed(kernels_.size(), Pass::backward, [&] {
    softmax_cross_entropy_gradient(input_of(kernels_.size(), batch), batch.labels, divisor,
                                   sized(gradient_, graph_.layers.back().in));
  });
  for (std::size_t i = kernels_.size(); i-- > 0;) {
    const Layer& layer = graph_.layers[i];
    timed(i, Pass::backward, [&] {
      if (i < first_trainable_ || kernels_[i]->output_storage() == OutputStorage::same_as_input) return;
      const bool last = i == first_trainable_;
      const std::span<float> input_gradient = last ? std::span<float>() : sized(next_gradient_, layer.in);
      kernels_[i]->backward({static_cast<std::int64_t>(samples), part_of(i, parameters), input_of(i, batch),
                             output_of(i, batch), sized(gradient_, layer.out), part_of(i, gradients), input_gradient});
      std::swap(gradient_, next_gradient_);
    });
  }
}

std::span<const float> LayerStack::output_of(std::size_t layer, const Batch& batch) const {
  if (kernels_[layer]->output_storage() == OutputStorage::same_as_input) return input_of(layer, batch);
  return std::span<const float>(outputs_[layer])
      .first(batch.labels.size() * static_cast<std::size_t>(graph_.layers[layer].out.count()));
}

std::span<const float> LayerStack::input_of(std::size_t layer, const Batch& batch) const {
  return layer == 0 ? batch.inputs : output_of(layer - 1, batch);
}

void LayerStack::reserve(std::size_t samples) {
  const auto grow = [&](AlignedVector& numbers, const Shape& shape) {
    const std::size_t count = samples * static_cast<std::size_t>(shape.count());
    if (numbers.size() < count) numbers.resize(count);
  };
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    if (kernels_[i]->output_storage() == OutputStorage::own) grow(outputs_[i], layer.out);
    grow(gradient_, layer.out);
    grow(next_gradient_, layer.out);
  }
}

template <class Work>
void LayerStack::timed(std::size_t layer, Pass pass, Work work) const {
  if (!timer_) {
    work();
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  work();
  timer_(layer, pass, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace orrery
