#include <algorithm>

#include "models/kernels/parallel.hpp"
#include "models/training/row_numbers.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/shard_runner.hpp"
#include "models/training/training.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr std::size_t chunk_samples = 500;

BatchResult evaluate_range(ShardRunner& runner, const ExecutionPlan& plan, std::span<const float> weights,
                           const Samples& samples, std::size_t first, std::size_t last) {
  BatchResult sum;
  const std::size_t slice = plan.samples_per_slice();
  for (; first < last; first += slice) {
    runner.start(weights, whole(samples).part(first, std::min(slice, last - first)), {.mode = Mode::evaluation});
    runner.forward(0, plan.kernels(), {});
    sum += runner.loss();
  }
  return sum;
}

}  // namespace

Evaluation evaluate(const std::shared_ptr<const ExecutionPlan>& plan, std::span<const float> weights,
                    const Samples& samples, Storage storage) {
  ORRERY_EXPECT(samples.count() > 0);
  require_rows(plan->graph(), samples);
  AlignedVector rounded;
  if (storage == Storage::bf16) {
    rounded.assign(weights.begin(), weights.end());
    round_to_bf16(std::span<float>(rounded).first(plan->parameter_count()));
    weights = rounded;
  }
  const std::size_t chunks = (samples.count() + chunk_samples - 1) / chunk_samples;
  std::vector<ShardRunner> runners;
  for (std::size_t i = 0; i < std::min(chunks, default_workers()); ++i) {
    runners.emplace_back(plan);
    runners.back().set_storage(storage);
  }
  std::vector<BatchResult> results(chunks);
  for_each_task(chunks, runners.size(), [&](std::size_t chunk, std::size_t worker) {
    const std::size_t first = chunk * chunk_samples;
    results[chunk] = evaluate_range(runners[worker], *plan, weights, samples, first,
                                    std::min(first + chunk_samples, samples.count()));
  });
  BatchResult sum;
  for (const BatchResult& result : results) sum += result;
  const auto count = static_cast<double>(sum.samples);
  return {static_cast<double>(sum.correct) / count, sum.loss_sum / count};
}

Evaluation evaluate(const LayerGraph& graph, std::span<const float> weights, const Samples& samples) {
  return evaluate(std::make_shared<const ExecutionPlan>(graph), weights, samples);
}

std::vector<float> initial_weights(const ExecutionPlan& plan, std::uint64_t seed) {
  std::vector<float> weights(plan.weight_count());
  Random random = Random::derived(seed, "initial weights");
  plan.initialise(weights, random);
  return weights;
}

std::vector<float> initial_weights(const LayerGraph& graph, std::uint64_t seed) {
  return initial_weights(ExecutionPlan(graph), seed);
}

}  // namespace orrery
