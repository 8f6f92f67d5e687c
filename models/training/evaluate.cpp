#include <algorithm>

#include "models/kernels/parallel.hpp"
#include "models/training/gradient_sum.hpp"
#include "models/training/layer_stack.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr std::size_t chunk_samples = 500;

Batch part_of(const Samples& samples, std::size_t first, std::size_t count) {
  const std::size_t size = sample_size(samples);
  return {std::span<const float>(samples.inputs).subspan(first * size, count * size),
          std::span<const std::int32_t>(samples.labels).subspan(first, count)};
}

BatchResult evaluate_range(LayerStack& stack, std::span<const float> weights, const Samples& samples, std::size_t first,
                           std::size_t last) {
  BatchResult sum;
  const std::size_t slice = stack.samples_per_slice();
  for (; first < last; first += slice) {
    sum += stack.forward(weights, part_of(samples, first, std::min(slice, last - first)));
  }
  return sum;
}

}  // namespace

Evaluation evaluate(const LayerGraph& graph, std::span<const float> weights, const Samples& samples) {
  ORRERY_EXPECT(samples.count() > 0);
  const std::size_t chunks = (samples.count() + chunk_samples - 1) / chunk_samples;
  std::vector<LayerStack> stacks;
  for (std::size_t i = 0; i < std::min(chunks, default_workers()); ++i) stacks.emplace_back(graph);
  std::vector<BatchResult> results(chunks);
  for_each_task(chunks, stacks.size(), [&](std::size_t chunk, std::size_t worker) {
    const std::size_t first = chunk * chunk_samples;
    results[chunk] =
        evaluate_range(stacks[worker], weights, samples, first, std::min(first + chunk_samples, samples.count()));
  });
  const BatchResult sum = total(results);
  const auto count = static_cast<double>(sum.samples);
  return {static_cast<double>(sum.correct) / count, sum.loss_sum / count};
}

std::vector<float> initial_weights(const LayerGraph& graph, std::uint64_t seed) {
  const LayerStack stack(graph);
  std::vector<float> weights(stack.parameter_count());
  Random random = Random::derived(seed, "initial weights");
  stack.initialise(weights, random);
  return weights;
}

}  // namespace orrery
