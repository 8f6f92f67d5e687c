#include "models/training/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Weights per task of the optimizer: small enough to share out, large enough to pay for the sharing.
constexpr std::size_t block_weights = 16384;

std::vector<Range> blocks_of(const std::vector<Range>& ranges) {
  std::vector<Range> blocks;
  for (const Range& range : ranges) {
    for (std::size_t at = 0; at < range.count; at += block_weights) {
      blocks.push_back({range.first + at, std::min(block_weights, range.count - at)});
    }
  }
  return blocks;
}

}  // namespace

TrainingStep::TrainingStep(std::shared_ptr<const ExecutionPlan> plan, const TrainingOptions& options)
    : options_(options),
      runner_(std::move(plan), options.workers),
      optimizer_(options.optimizer, runner_.plan().parameter_count()),
      blocks_(blocks_of(runner_.plan().trainable())) {
  ORRERY_EXPECT(options.accumulation > 0);
}

BatchResult TrainingStep::run(std::span<float> weights, const Batch& batch) {
  ++steps_;
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: steps' seeds differ in many bits
  const auto predictions =
      static_cast<double>(runner_.plan().loss().predictions_per_sample()) * static_cast<double>(batch.samples);
  PassOptions pass{.divisor = predictions, .seed = options_.seed + odd * static_cast<std::uint64_t>(steps_)};
  if (adds_in_place(batch)) {
    pass.divisor = -predictions / options_.optimizer.learning_rate;
    const BatchResult result = runner_.run_in_place(weights, batch, pass);
    require_finite(result);
    return result;
  }
  const auto parts = std::min(static_cast<std::size_t>(options_.accumulation), batch.samples);
  BatchResult sum;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = batch.samples * part / parts, end = batch.samples * (part + 1) / parts;
    pass.update = part == 0 ? Update::overwrite : Update::add;
    sum += runner_.run(weights, batch.part(first, end - first), pass);
  }
  require_finite(sum);
  update(weights);
  return sum;
}

bool TrainingStep::adds_in_place(const Batch& batch) const {
  return options_.optimizer.kind == OptimizerKind::sgd && options_.accumulation == 1 &&
         options_.update == UpdateStyle::fastest && runner_.plan().shards(batch.samples) == 1;
}

void TrainingStep::restart(std::uint64_t seed) {
  options_.seed = seed;
  steps_ = 0;
  optimizer_ = Optimizer(options_.optimizer, runner_.plan().parameter_count());
}

void TrainingStep::require_finite(const BatchResult& result) {
  if (std::isfinite(result.loss_sum)) return;
  throw std::runtime_error(
      fmt::format("the loss is not finite at step {}: layer \"{}\" is the first whose output is not (the weights "
                  "diverged) - lower the learning rate, which is {}",
                  steps_, runner_.first_not_finite(), options_.optimizer.learning_rate));
}

void TrainingStep::set_timer(WorkerTimer timer) {
  timer_ = std::move(timer);
  runner_.set_timer(timer_);
}

void TrainingStep::update(std::span<float> weights) {
  const auto start = std::chrono::steady_clock::now();
  optimizer_.begin_step();
  for_each_task(blocks_.size(), runner_.workers(), [&](std::size_t task, std::size_t) {
    const Range& block = blocks_[task];
    optimizer_.update(block.first, block.of(weights), runner_.gradient(block.first, block.count));
  });
  if (timer_) report_update(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

void TrainingStep::report_update(double seconds) const {
  const ExecutionPlan& plan = runner_.plan();
  std::size_t all = 0;
  for (const Range& range : plan.trainable()) all += range.count;
  for (std::size_t layer = 0; layer < plan.kernels(); ++layer) {
    const std::size_t own = plan.graph().layers[layer].frozen ? 0 : plan.steps(layer).parameters.count;
    if (own > 0) timer_(0, layer, Pass::optimizer, seconds * static_cast<double>(own) / static_cast<double>(all));
  }
}

}  // namespace orrery
