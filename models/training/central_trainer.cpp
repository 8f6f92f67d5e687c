#include "models/training/central_trainer.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "models/kernels/parallel.hpp"
#include "models/training/row_numbers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::vector<std::size_t> all_of(const Samples& samples) {
  std::vector<std::size_t> indices(samples.count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

}  // namespace

CentralTrainer::CentralTrainer(const LayerGraph& graph, const Samples& samples, const CentralOptions& options)
    : plan_(std::make_shared<ExecutionPlan>(graph, options.recompute)),
      loader_(
          samples,
          {all_of(samples), static_cast<std::size_t>(options.batch), Random::derived(options.seed, "central order")},
          {options.prefetch, options.augmentation, graph.input, options.seed}),
      step_(plan_, {.optimizer = options.optimizer,
                    .accumulation = options.accumulation,
                    .seed = options.seed,
                    .workers = default_workers(),
                    .storage = options.storage}) {
  ORRERY_EXPECT(options.batch > 0 && samples.count() > 0);
  require_rows(graph, samples);
  ORRERY_EXPECT(options.start.empty() || options.start.size() == plan_->weight_count());
  const std::vector<float> start = options.start.empty() ? initial_weights(*plan_, options.seed) : options.start;
  weights_.assign(start.begin(), start.end());
}

BatchResult CentralTrainer::step() {
  return step_.run(weights_, loader_.next());
}

std::vector<CentralPoint> train(CentralTrainer& trainer, const Samples& test, const CentralOptions& options,
                                const std::function<void(const CentralPoint&)>& progress) {
  ORRERY_EXPECT(options.steps > 0 && options.evaluate_every > 0);
  std::vector<CentralPoint> points;
  double loss = 0, samples = 0;
  while (trainer.steps() < options.steps) {
    const BatchResult result = trainer.step();
    loss += result.loss_sum;
    samples += static_cast<double>(result.samples);
    const std::int64_t step = trainer.steps();
    if (step % options.evaluate_every != 0 && step != options.steps) continue;
    const double epoch = static_cast<double>(step) / static_cast<double>(trainer.steps_per_epoch());
    const Evaluation evaluation = evaluate(trainer.plan(), trainer.weights(), test, options.storage);
    points.push_back({step, epoch, loss / samples, evaluation});
    loss = samples = 0;
    if (progress) progress(points.back());
    if (options.target_accuracy > 0 && evaluation.accuracy >= options.target_accuracy) break;
  }
  return points;
}

std::vector<CentralPoint> train_central(const LayerGraph& graph, const DataSet& data, const CentralOptions& options,
                                        const std::function<void(const CentralPoint&)>& progress) {
  CentralTrainer trainer(graph, data.train, options);
  return train(trainer, data.test, options, progress);
}

}  // namespace orrery
