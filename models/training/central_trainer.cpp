#include "models/training/central_trainer.hpp"

#include <algorithm>
#include <numeric>

#include "models/cost/layer_cost.hpp"
#include "models/kernels/parallel.hpp"
#include "models/training/divergence.hpp"
#include "models/training/gradient_sum.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/units.hpp"

namespace orrery {
namespace {

// Weights per task of the optimizer: small enough to share out, large enough to pay for the sharing.
constexpr std::size_t block_weights = 16384;

bool worth_sharing(const LayerGraph& graph, std::int64_t batch) {
  constexpr double least_flops = 0.2 * giga;
  return training_flops(graph).value() * static_cast<double>(batch) >= least_flops;
}

std::vector<std::size_t> all_of(const Samples& samples) {
  std::vector<std::size_t> indices(samples.count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

}  // namespace

CentralTrainer::CentralTrainer(const LayerGraph& graph, const Samples& samples, const CentralOptions& options)
    : samples_(samples),
      options_(options.optimizer),
      order_(all_of(samples), static_cast<std::size_t>(options.batch), Random::derived(options.seed, "central order")),
      optimizer_(options.optimizer, 0) {
  ORRERY_EXPECT(options.batch > 0 && samples.count() > 0);
  const std::vector<float> start = initial_weights(graph, options.seed);
  weights_.assign(start.begin(), start.end());
  optimizer_ = Optimizer(options.optimizer, weights_.size());
  const std::size_t shards = (static_cast<std::size_t>(options.batch) + shard_samples - 1) / shard_samples;
  gradients_.assign(shards, AlignedVector(weights_.size()));
  const std::size_t workers = worth_sharing(graph, options.batch) ? std::min(shards, default_workers()) : 1;
  for (std::size_t i = 0; i < workers; ++i) workers_.push_back({LayerStack(graph), SampleBatch()});
}

BatchResult CentralTrainer::step() {
  const auto indices = order_.next();
  const BatchResult result = compute_gradients(indices);
  ++steps_;
  require_finite_loss(result, steps_, options_.learning_rate);
  apply_gradients((indices.size() + shard_samples - 1) / shard_samples);
  return result;
}

BatchResult CentralTrainer::compute_gradients(std::span<const std::size_t> indices) {
  const std::size_t shards = (indices.size() + shard_samples - 1) / shard_samples;
  std::vector<BatchResult> results(shards);
  for_each_task(shards, workers_.size(), [&](std::size_t shard, std::size_t worker) {
    const std::size_t first = shard * shard_samples;
    auto& [stack, batch] = workers_[worker];
    const Batch part = batch.gather(samples_, indices.subspan(first, std::min(shard_samples, indices.size() - first)));
    results[shard] = stack.forward_backward(weights_, part, static_cast<double>(indices.size()), gradients_[shard]);
  });
  return total(results);
}

void CentralTrainer::apply_gradients(std::size_t shards) {
  optimizer_.begin_step();
  const std::size_t blocks = (weights_.size() + block_weights - 1) / block_weights;
  for_each_task(blocks, workers_.size(), [&](std::size_t block, std::size_t) {
    const std::size_t first = block * block_weights;
    const std::size_t count = std::min(block_weights, weights_.size() - first);
    const auto sum = std::span<float>(gradients_[0]).subspan(first, count);
    for (std::size_t shard = 1; shard < shards; ++shard) {
      add(std::span<const float>(gradients_[shard]).subspan(first, count), sum);
    }
    optimizer_.update(first, std::span<float>(weights_).subspan(first, count), sum);
  });
}

std::vector<CentralPoint> train_central(const LayerGraph& graph, const DataSet& data, const CentralOptions& options,
                                        const std::function<void(const CentralPoint&)>& progress) {
  ORRERY_EXPECT(options.steps > 0 && options.evaluate_every > 0);
  CentralTrainer trainer(graph, data.train, options);
  std::vector<CentralPoint> points;
  double loss = 0, samples = 0;
  while (trainer.steps() < options.steps) {
    const BatchResult result = trainer.step();
    loss += result.loss_sum;
    samples += static_cast<double>(result.samples);
    const std::int64_t step = trainer.steps();
    if (step % options.evaluate_every != 0 && step != options.steps) continue;
    const double epoch = static_cast<double>(step) / static_cast<double>(trainer.steps_per_epoch());
    points.push_back({step, epoch, loss / samples, evaluate(graph, trainer.weights(), data.test)});
    loss = samples = 0;
    if (progress) progress(points.back());
    if (options.target_accuracy > 0 && points.back().test.accuracy >= options.target_accuracy) break;
  }
  return points;
}

}  // namespace orrery
