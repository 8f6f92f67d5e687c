#include "scenarios/measure/cut_tensors.hpp"

#include <algorithm>
#include <set>

namespace orrery {
namespace {

std::set<std::size_t> read_across(const LayerGraph& graph, std::size_t cut) {
  std::set<std::size_t> producers;
  for (std::size_t i = cut; i < graph.layers.size(); ++i) {
    for (const LayerId producer : {graph.layers[i].input, graph.layers[i].skip}) {
      if (producer.valid() && producer.index() < cut) producers.insert(producer.index());
    }
  }
  return producers;
}

}  // namespace

CutTensors::CutTensors(const ExecutionPlan& plan, std::size_t cut) {
  const LayerGraph& graph = plan.graph();
  const std::vector<bool> wanted = needs_gradient(graph);
  for (const std::size_t layer : read_across(graph, cut)) {
    if (!plan.steps(layer).buffer) continue;  // a view of the network's input, which every stage has
    const Tensor tensor{layer, static_cast<std::size_t>(graph.layers[layer].out.count())};
    outputs_.push_back(tensor);
    if (wanted[layer] && plan.steps(layer).slot) gradients_.push_back(tensor);
  }
}

std::size_t CutTensors::forward_numbers(std::size_t samples) const {
  std::size_t numbers = 0;
  for (const Tensor& tensor : outputs_) numbers += tensor.numbers * samples;
  return numbers;
}

std::size_t CutTensors::backward_numbers(std::size_t samples) const {
  std::size_t numbers = 0;
  for (const Tensor& tensor : gradients_) numbers += tensor.numbers * samples;
  return numbers;
}

void CutTensors::pack_outputs(ShardRunner& runner, std::span<float> message) const {
  auto place = message.begin();
  for (const Tensor& tensor : outputs_) {
    const std::span<const float> numbers = runner.output(tensor.layer);
    place = std::copy(numbers.begin(), numbers.end(), place);
  }
}

void CutTensors::unpack_outputs(std::span<const float> message, ShardRunner& runner) const {
  auto place = message.begin();
  for (const Tensor& tensor : outputs_) {
    const std::span<float> numbers = runner.output(tensor.layer);
    std::copy_n(place, numbers.size(), numbers.begin());
    place += static_cast<std::ptrdiff_t>(numbers.size());
  }
}

void CutTensors::pack_gradients(ShardRunner& runner, std::span<float> message) const {
  auto place = message.begin();
  for (const Tensor& tensor : gradients_) {
    const std::span<const float> numbers = runner.output_gradient(tensor.layer);
    place = std::copy(numbers.begin(), numbers.end(), place);
  }
}

void CutTensors::unpack_gradients(std::span<const float> message, ShardRunner& runner) const {
  auto place = message.begin();
  for (const Tensor& tensor : gradients_) {
    const std::span<float> numbers = runner.output_gradient(tensor.layer);
    std::copy_n(place, numbers.size(), numbers.begin());
    place += static_cast<std::ptrdiff_t>(numbers.size());
  }
}

}  // namespace orrery
