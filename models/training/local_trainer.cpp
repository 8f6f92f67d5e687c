#include "models/training/local_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "models/kernels/parallel.hpp"
#include "models/training/divergence.hpp"
#include "models/training/epoch_order.hpp"
#include "models/training/gradient_sum.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

LocalTrainer::LocalTrainer(const LayerGraph& graph)
    : stack_(graph), weights_(stack_.parameter_count()), gradient_(stack_.parameter_count()) {}

BatchResult LocalTrainer::compute_gradient(const Samples& samples, std::span<const std::size_t> indices) {
  BatchResult sum;
  for (std::size_t first = 0; first < indices.size(); first += shard_samples) {
    const Batch batch = batch_.gather(samples, indices.subspan(first, std::min(shard_samples, indices.size() - first)));
    if (first > 0) shard_gradient_.resize(gradient_.size());
    AlignedVector& gradient = first == 0 ? gradient_ : shard_gradient_;
    sum += stack_.forward_backward(weights_, batch, static_cast<double>(indices.size()), gradient);
    if (first > 0) add(shard_gradient_, gradient_);
  }
  return sum;
}

LocalResult LocalTrainer::train(std::span<const float> weights, const Samples& samples,
                                std::span<const std::size_t> indices, const LocalOptions& options, Random random) {
  ORRERY_EXPECT(weights.size() == weights_.size() && !indices.empty() && options.epochs > 0 && options.batch >= 0);
  std::copy(weights.begin(), weights.end(), weights_.begin());
  EpochOrder order({indices.begin(), indices.end()}, static_cast<std::size_t>(options.batch), random);
  Optimizer optimizer(options.optimizer, weights_.size());
  LocalResult result;
  result.samples = static_cast<std::int64_t>(indices.size());
  const auto steps = static_cast<std::int64_t>(order.batches_per_epoch()) * options.epochs;
  BatchResult sum;
  while (result.steps < steps) {
    const BatchResult step = compute_gradient(samples, order.next());
    ++result.steps;
    require_finite_loss(step, result.steps, options.optimizer.learning_rate);
    optimizer.step(weights_, gradient_);
    sum += step;
  }
  result.train_loss = sum.loss_sum / static_cast<double>(sum.samples);
  result.weights.assign(weights_.begin(), weights_.end());
  return result;
}

LocalResult train_local(const LayerGraph& graph, std::span<const float> weights, const Samples& samples,
                        std::span<const std::size_t> indices, const LocalOptions& options, Random random) {
  return LocalTrainer(graph).train(weights, samples, indices, options, random);
}

std::vector<LocalResult> train_clients(const LayerGraph& graph, std::span<const float> weights, const Samples& samples,
                                       const std::vector<std::vector<std::size_t>>& partition,
                                       std::span<const std::size_t> clients, const LocalOptions& options,
                                       std::uint64_t seed, std::int64_t round) {
  std::vector<LocalTrainer> trainers;
  for (std::size_t i = 0; i < std::min(clients.size(), default_workers()); ++i) trainers.emplace_back(graph);
  std::vector<LocalResult> results(clients.size());
  for_each_task(clients.size(), trainers.size(), [&](std::size_t task, std::size_t worker) {
    const std::size_t client = clients[task];
    const Random random = Random::derived(seed, fmt::format("local order, round {}", round), client);
    try {
      results[task] = trainers[worker].train(weights, samples, partition.at(client), options, random);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(fmt::format("round {}, client {}: {}", round, client, error.what()));
    }
  });
  return results;
}

std::vector<float> weighted_average(std::span<const LocalResult> results) {
  ORRERY_EXPECT(!results.empty());
  double samples = 0;
  for (const LocalResult& result : results) samples += static_cast<double>(result.samples);
  ORRERY_EXPECT(samples > 0);
  std::vector<double> sum(results.front().weights.size());
  for (const LocalResult& result : results) {
    ORRERY_EXPECT(result.weights.size() == sum.size());
    const double share = static_cast<double>(result.samples) / samples;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share * static_cast<double>(result.weights[i]);
  }
  std::vector<float> average(sum.size());
  std::transform(sum.begin(), sum.end(), average.begin(), [](double value) { return static_cast<float>(value); });
  return average;
}

}  // namespace orrery
