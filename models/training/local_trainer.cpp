#include "models/training/local_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "models/training/epoch_order.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

LocalTrainer::LocalTrainer(std::shared_ptr<const ExecutionPlan> plan, const LocalOptions& options)
    : options_(options),
      step_(std::move(plan), {.optimizer = options.optimizer, .storage = options.storage}),
      weights_(step_.runner().plan().weight_count()) {
  ORRERY_EXPECT(options.epochs > 0 && options.batch >= 0);
}

LocalResult LocalTrainer::train(std::span<const float> weights, const Samples& samples,
                                std::span<const std::size_t> indices, Random random) {
  ORRERY_EXPECT(weights.size() == weights_.size() && !indices.empty());
  std::copy(weights.begin(), weights.end(), weights_.begin());
  step_.restart(Random(random).bits());  // a copy's: the order is drawn from the generator as it came
  EpochOrder order({indices.begin(), indices.end()}, static_cast<std::size_t>(options_.batch), random);
  LocalResult result;
  result.samples = static_cast<std::int64_t>(indices.size());
  result.steps = static_cast<std::int64_t>(order.batches_per_epoch()) * options_.epochs;
  BatchResult sum;
  for (std::int64_t step = 0; step < result.steps; ++step) {
    sum += step_.run(weights_, batch_.gather(samples, order.next()));
  }
  result.train_loss = sum.loss_sum / static_cast<double>(sum.samples);
  result.weights.assign(weights_.begin(), weights_.end());
  return result;
}

LocalResult train_local(const LayerGraph& graph, std::span<const float> weights, const Samples& samples,
                        std::span<const std::size_t> indices, const LocalOptions& options, Random random) {
  return LocalTrainer(std::make_shared<ExecutionPlan>(graph, options.recompute), options)
      .train(weights, samples, indices, random);
}

std::vector<LocalResult> train_clients(const LayerGraph& graph, std::span<const float> weights, const Samples& samples,
                                       const std::vector<std::vector<std::size_t>>& partition,
                                       std::span<const std::size_t> clients, const LocalOptions& options,
                                       std::uint64_t seed, std::int64_t round) {
  const auto plan = std::make_shared<const ExecutionPlan>(graph, options.recompute);
  std::vector<LocalTrainer> trainers;
  for (std::size_t i = 0; i < std::min(clients.size(), default_workers()); ++i) trainers.emplace_back(plan, options);
  std::vector<LocalResult> results(clients.size());
  for_each_task(clients.size(), trainers.size(), [&](std::size_t task, std::size_t worker) {
    const std::size_t client = clients[task];
    const Random random = Random::derived(seed, fmt::format("local order, round {}", round), client);
    try {
      results[task] = trainers[worker].train(weights, samples, partition.at(client), random);
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
