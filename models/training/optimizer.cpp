#include "models/training/optimizer.hpp"

#include <cmath>

#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

struct Adam {
  float rate = 0, beta1 = 0, beta2 = 0, epsilon = 0;  // rate and epsilon with the bias correction of this step
};

// With m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t): w -= rate m' / (sqrt(v') + epsilon). Both corrections are
// moved into the constants, as section 2 of the paper proposes.
Adam adam_of(const OptimizerOptions& options, long steps) {
  const auto t = static_cast<double>(steps);
  const double second = std::sqrt(1.0 - std::pow(options.beta2, t));
  return {static_cast<float>(options.learning_rate * second / (1.0 - std::pow(options.beta1, t))),
          static_cast<float>(options.beta1), static_cast<float>(options.beta2),
          static_cast<float>(options.epsilon * second)};
}

void sgd(std::size_t count, float rate, const float* __restrict gradient, float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) weight[i] -= rate * gradient[i];
}

void momentum(std::size_t count, float rate, float decay, const float* __restrict gradient, float* __restrict velocity,
              float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    velocity[i] = decay * velocity[i] + gradient[i];
    weight[i] -= rate * velocity[i];
  }
}

void adam(std::size_t count, const Adam& by, const float* __restrict gradient, float* __restrict mean,
          float* __restrict square, float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    mean[i] = by.beta1 * mean[i] + (1.0F - by.beta1) * gradient[i];
    square[i] = by.beta2 * square[i] + (1.0F - by.beta2) * gradient[i] * gradient[i];
    weight[i] -= by.rate * mean[i] / (std::sqrt(square[i]) + by.epsilon);
  }
}

}  // namespace

Optimizer::Optimizer(OptimizerOptions options, std::size_t parameters) : options_(options) {
  if (options.kind != OptimizerKind::sgd) first_.resize(parameters);
  if (options.kind == OptimizerKind::adam) second_.resize(parameters);
}

void Optimizer::step(std::span<float> weights, std::span<const float> gradients) {
  begin_step();
  update(0, weights, gradients);
}

void Optimizer::update(std::size_t offset, std::span<float> weights, std::span<const float> gradients) {
  ORRERY_EXPECT(weights.size() == gradients.size());
  ORRERY_EXPECT(options_.kind == OptimizerKind::sgd || offset + weights.size() <= first_.size());
  const FlushDenormals flush;
  const std::size_t count = weights.size();
  const auto rate = static_cast<float>(options_.learning_rate);
  switch (options_.kind) {
    case OptimizerKind::sgd:
      sgd(count, rate, gradients.data(), weights.data());
      break;
    case OptimizerKind::momentum:
      momentum(count, rate, static_cast<float>(options_.momentum), gradients.data(), first_.data() + offset,
               weights.data());
      break;
    case OptimizerKind::adam:
      adam(count, adam_of(options_, steps_), gradients.data(), first_.data() + offset, second_.data() + offset,
           weights.data());
      break;
  }
}

double optimizer_flops(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd:
      return 2;  // multiply, subtract
    case OptimizerKind::momentum:
      return 4;  // velocity: multiply, add; weight: multiply, subtract
    case OptimizerKind::adam:
      return 12;  // mean 3, square 4, weight: multiply, square root, add, divide, subtract
  }
  return 0;
}

}  // namespace orrery
