#include "scenarios/measure/real_step.hpp"

#include <cmath>

#include "models/training/training_step.hpp"

namespace orrery {

int ranks_of(const StrategySpec& strategy) {
  const bool serves = strategy.kind == StrategyKind::data && strategy.collective == Algorithm::parameter_server;
  return strategy.devices + (serves && strategy.devices > 1 ? 1 : 0);
}

std::unique_ptr<RealStep> make_real_step(const RealJob& job) {
  const StrategySpec& strategy = job.job.strategy;
  if (strategy.precision != Precision::fp32) {
    throw Infeasible("only fp32 is executed by several processes: messages are float32");
  }
  if (strategy.kind == StrategyKind::hybrid) throw Infeasible("kind = hybrid is not executed");
  if (strategy.kind == StrategyKind::pipeline) return make_staged(job);
  if (strategy.kind != StrategyKind::model || strategy.devices == 1) return make_data_parallel(job);
  return strategy.split == Split::layers ? make_staged(job) : make_tensor_parallel(job);
}

std::uint64_t draws_of_step(std::uint64_t seed, std::int64_t step, int rank) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: neighbours differ in many bits
  return seed + odd * static_cast<std::uint64_t>(step + 1) + (odd >> 7U) * static_cast<std::uint64_t>(rank);
}

double mean_divisor(const ExecutionPlan& plan, std::size_t batch_samples) {
  return static_cast<double>(plan.loss().predictions_per_sample()) * static_cast<double>(batch_samples);
}

void require_finite(const BatchResult& result, std::int64_t step, const OptimizerOptions& optimizer,
                    const std::function<std::string()>& layer) {
  if (!std::isfinite(result.loss_sum)) throw diverged(step, layer(), optimizer.learning_rate);
}

void refuse_clipping(const OptimizerOptions& optimizer, const std::string& how) {
  if (optimizer.clip_norm <= 0) return;
  throw Infeasible("clip_norm is not executed here: " + how + " - leave it out, or measure the data-parallel way");
}

}  // namespace orrery
