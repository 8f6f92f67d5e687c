#include "models/training/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "models/cost/shards.hpp"
#include "models/kernels/parallel.hpp"
#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::vector<NumberRange> layers_that_train(const ExecutionPlan& plan) {
  std::vector<NumberRange> layers;
  for (std::size_t i = 0; i < plan.kernels(); ++i) {
    if (!plan.graph().layers[i].frozen) layers.push_back(plan.steps(i).parameters);
  }
  return layers;
}

void scale(float factor, std::span<float> numbers) {
  for (float& number : numbers) number *= factor;
}

void add_proximal(const StepTerm& term, const NumberRange& block, std::span<const float> weights,
                  std::span<float> gradient) {
  const auto factor = static_cast<float>(term.proximal);
  const std::span<const float> at = block.of(weights), anchor = block.of(term.anchor);
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += factor * (at[i] - anchor[i]);
}

}  // namespace

std::runtime_error diverged(std::int64_t step, const std::string& layer, double rate) {
  return std::runtime_error(
      fmt::format("the loss is not finite at step {}: layer \"{}\" is the first whose output is not (the weights "
                  "diverged) - lower the learning rate, which is {}",
                  step, layer, rate));
}

TrainingStep::TrainingStep(std::shared_ptr<const ExecutionPlan> plan, const TrainingOptions& options)
    : options_(options),
      runner_(std::move(plan), options.workers),
      optimizer_(options.optimizer, layers_that_train(runner_.plan())),
      gradients_(optimizer_.blocks().size()),
      squares_(optimizer_.blocks().size()) {
  ORRERY_EXPECT(options.accumulation > 0);
}

BatchResult TrainingStep::run(std::span<float> weights, const Batch& batch) {
  ++steps_;
  optimizer_.begin_step();
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: steps' seeds differ in many bits
  const auto predictions =
      static_cast<double>(runner_.plan().loss().predictions_per_sample()) * static_cast<double>(batch.samples);
  PassOptions pass{.divisor = predictions, .seed = options_.seed + odd * static_cast<std::uint64_t>(steps_)};
  const BatchResult result =
      adds_in_place() ? run_in_place(weights, batch, pass) : run_separately(weights, batch, pass);
  if (!term_.shift.empty()) add_shift(weights);
  return result;
}

BatchResult TrainingStep::run_in_place(std::span<float> weights, const Batch& batch, PassOptions pass) {
  pass.divisor = -pass.divisor / optimizer_.rate();
  const BatchResult result = runner_.run_in_place(weights, batch, pass);
  require_finite(result);
  return result;
}

BatchResult TrainingStep::run_separately(std::span<float> weights, const Batch& batch, PassOptions pass) {
  const auto parts = std::min(static_cast<std::size_t>(options_.accumulation), batch.samples);
  const std::span<float> seen = weights_seen(weights);
  const ExecutionPlan& plan = runner_.plan();
  update_workers_ = static_cast<std::size_t>(
      update_threads(static_cast<std::int64_t>(plan.parameter_count()),
                     static_cast<std::int64_t>(plan.shards((batch.samples + parts - 1) / parts)),
                     static_cast<std::int64_t>(runner_.workers())));
  BatchResult sum;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = batch.samples * part / parts, end = batch.samples * (part + 1) / parts;
    pass.update = part == 0 ? Update::overwrite : Update::add;
    pass.seed += part;  // parts number their samples from 0 each: other draws for other samples
    sum += runner_.run(seen, batch.part(first, end - first), pass);
  }
  require_finite(sum);
  const auto state = static_cast<std::ptrdiff_t>(plan.parameter_count());
  if (seen.data() != weights.data()) std::copy(seen.begin() + state, seen.end(), weights.begin() + state);
  update(weights);
  return sum;
}

void TrainingStep::add_shift(std::span<float> weights) const {
  const auto rate = static_cast<float>(optimizer_.rate());
  const std::span<const float> shift = term_.shift;
  for (std::size_t i = 0; i < shift.size(); ++i) weights[i] -= rate * shift[i];
}

bool TrainingStep::adds_in_place() const {
  const OptimizerOptions& by = options_.optimizer;
  return by.kind == OptimizerKind::sgd && by.weight_decay == 0 && by.clip_norm == 0 && options_.accumulation == 1 &&
         options_.update == UpdateStyle::fastest && options_.storage == Storage::fp32 && term_.proximal == 0;
}

void TrainingStep::restart(std::uint64_t seed, double learning_rate, const StepTerm& term) {
  options_.seed = seed;
  term_ = term;
  steps_ = 0;
  optimizer_.restart(learning_rate);
}

void TrainingStep::require_finite(const BatchResult& result) {
  if (!std::isfinite(result.loss_sum)) throw diverged(steps_, runner_.first_not_finite(), optimizer_.rate());
}

void TrainingStep::set_timer(WorkerTimer timer) {
  timer_ = std::move(timer);
  runner_.set_timer(timer_);
}

/// The weights as the layers read them; running statistics stay float32.
std::span<float> TrainingStep::weights_seen(std::span<float> weights) {
  if (options_.storage == Storage::fp32) return weights;
  rounded_.assign(weights.begin(), weights.end());
  round_to_bf16(std::span<float>(rounded_).first(runner_.plan().parameter_count()));
  return rounded_;
}

std::span<float> TrainingStep::add_gradients(const NumberRange& block, std::span<const float> weights) {
  const std::span<float> sum = runner_.gradient(block.first, block.count);
  if (options_.storage == Storage::bf16) round_to_bf16(sum);
  if (term_.proximal != 0) add_proximal(term_, block, weights, sum);
  return sum;
}

void TrainingStep::update(std::span<float> weights) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<NumberRange>& blocks = optimizer_.blocks();
  const bool clips = options_.optimizer.clip_norm > 0;
  const float factor = clips ? clip_gradients(weights) : 1.0F;
  for_each_task(blocks.size(), update_workers_, [&](std::size_t task, std::size_t) {
    const NumberRange& block = blocks[task];
    if (!clips) gradients_[task] = add_gradients(block, weights);
    if (factor < 1.0F) scale(factor, gradients_[task]);
    optimizer_.update(block.first, block.of(weights), gradients_[task]);
  });
  if (timer_) report_update(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

/// Adds the gradients up; what they must be multiplied by.
float TrainingStep::clip_gradients(std::span<const float> weights) {
  const std::vector<NumberRange>& blocks = optimizer_.blocks();
  for_each_task(blocks.size(), update_workers_, [&](std::size_t task, std::size_t) {
    gradients_[task] = add_gradients(blocks[task], weights);
    squares_[task] = sum_of_squares(gradients_[task]);
  });
  const double norm = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
  if (!std::isfinite(norm)) {
    throw std::runtime_error(
        fmt::format("the norm of the gradients is not finite at step {} (there is nothing to clip "
                    "them to) - lower the learning rate, which is {}",
                    steps_, optimizer_.rate()));
  }
  return static_cast<float>(clip_factor(norm, options_.optimizer.clip_norm));
}

void TrainingStep::report_update(double seconds) const {
  const ExecutionPlan& plan = runner_.plan();
  std::size_t all = 0;
  for (const NumberRange& range : plan.trainable()) all += range.count;
  for (std::size_t layer = 0; layer < plan.kernels(); ++layer) {
    const std::size_t own = plan.graph().layers[layer].frozen ? 0 : plan.steps(layer).parameters.count;
    if (own > 0) timer_(0, layer, Pass::optimizer, seconds * static_cast<double>(own) / static_cast<double>(all));
  }
}

}  // namespace orrery
