// Training as mathematics: centralised mini-batch SGD and evaluation. No clock, no network: that is the simulator's
// part. Federated training: models/training/federated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/bfloat16.hpp"
#include "models/training/batch_loader.hpp"
#include "models/training/dataset.hpp"
#include "models/training/execution_plan.hpp"
#include "models/training/optimizer.hpp"

namespace orrery {

struct Evaluation {
  double accuracy = 0, loss = 0;  // means over the predictions
};

/// `weights`: parameters, then running statistics (see ExecutionPlan).
/// Whole test set in fixed chunks of 500, parallel over chunks, summed in chunk order: the same for any number of
/// threads.
Evaluation evaluate(const std::shared_ptr<const ExecutionPlan>& plan, std::span<const float> weights,
                    const Samples& samples, Storage storage = Storage::fp32);
Evaluation evaluate(const LayerGraph& graph, std::span<const float> weights, const Samples& samples);

struct CentralPoint {
  std::int64_t step = 0;
  double epoch = 0;
  double train_loss = 0;  // mean since the last point
  Evaluation test;
};

struct CentralOptions {
  std::int64_t batch = 64, steps = 0, evaluate_every = 100;
  double target_accuracy = 0;  // stop at the first evaluation that reaches it; 0: never
  OptimizerOptions optimizer{};
  std::uint64_t seed = 1;
  int accumulation = 1;  // micro-steps per step
  Storage storage = Storage::fp32;
  Recompute recompute = Recompute::none;
  Prefetch prefetch = Prefetch::none;
  Augmentation augmentation{};  // of the training images
  std::vector<float> start{};   // weights and running statistics; empty: initial_weights(graph, seed)
};
/// Mini-batch training on the whole training set, reshuffled every epoch. A loss that is not finite throws
/// std::runtime_error naming step and layer. The same bits for any number of threads (see BatchRunner).
std::vector<CentralPoint> train_central(const LayerGraph& graph, const DataSet& data, const CentralOptions& options,
                                        const std::function<void(const CentralPoint&)>& progress);

/// How clients train locally (federated/federated_training.hpp).
struct LocalOptions {
  std::int64_t batch = 10;  // 0: the whole local set in one batch
  OptimizerOptions optimizer{};
  Storage storage = Storage::fp32;
  Recompute recompute = Recompute::none;  // read where the plan is made
};

/// Weights and running statistics a fresh network starts from.
std::vector<float> initial_weights(const ExecutionPlan& plan, std::uint64_t seed);
std::vector<float> initial_weights(const LayerGraph& graph, std::uint64_t seed);

}  // namespace orrery
