#include "models/training/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/cost/shards.hpp"
#include "models/kernels/parallel.hpp"
#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// The constants of one step, in the arithmetic of the weights.
struct Constants {
  float rate = 0, momentum = 0;
  float decay = 0;  // times the weight, added to the gradient
  float keep = 1;   // adamw: 1 - learning rate x decay
  float beta1 = 0, beta2 = 0, epsilon = 0;
  float rho = 0, new_rho = 0, offset = 0;  // adadelta
  float new1 = 0, new2 = 0;                // 1 - beta1, 1 - beta2: subtracted in double, since little is left of 0.999
  float direction = 1;  // adam and its kin: what m / (sqrt(s) + epsilon) is multiplied by to correct both biases
};

/// Both bias corrections of Adam are moved into the constants, as section 2 of its paper proposes: with c1 = 1 -
/// beta1^t and c2 = sqrt(1 - beta2^t), m' / (sqrt(s') + epsilon) = (c2 / c1) m / (sqrt(s) + c2 epsilon).
Constants constants_of(const OptimizerOptions& options, double rate, std::int64_t steps) {
  const auto t = static_cast<double>(steps);
  const double second = std::sqrt(1.0 - std::pow(options.beta2, t));
  Constants constants;
  constants.rate = static_cast<float>(rate);
  constants.momentum = static_cast<float>(options.momentum);
  constants.decay = static_cast<float>(options.weight_decay);
  constants.beta1 = static_cast<float>(options.beta1);
  constants.beta2 = static_cast<float>(options.beta2);
  constants.rho = static_cast<float>(options.rho);
  constants.new_rho = static_cast<float>(1.0 - options.rho);
  constants.offset = static_cast<float>(options.offset);
  constants.new1 = static_cast<float>(1.0 - options.beta1);
  constants.new2 = static_cast<float>(1.0 - options.beta2);
  constants.epsilon = static_cast<float>(options.epsilon * second);
  const double direction = second / (1.0 - std::pow(options.beta1, t));
  constants.direction = static_cast<float>(direction);
  if (options.kind == OptimizerKind::adam || options.kind == OptimizerKind::adamw) {
    constants.rate = static_cast<float>(rate * direction);
  }
  if (options.kind == OptimizerKind::adamw) {
    constants.keep = static_cast<float>(1.0 - rate * options.weight_decay);
    constants.decay = 0;
  }
  return constants;
}

void sgd(std::size_t count, const Constants& by, const float* __restrict gradient, float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) weight[i] -= by.rate * (gradient[i] + by.decay * weight[i]);
}

void momentum(std::size_t count, const Constants& by, const float* __restrict gradient, float* __restrict velocity,
              float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    velocity[i] = by.momentum * velocity[i] + (gradient[i] + by.decay * weight[i]);
    weight[i] -= by.rate * velocity[i];
  }
}

void nesterov(std::size_t count, const Constants& by, const float* __restrict gradient, float* __restrict velocity,
              float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + by.decay * weight[i];
    velocity[i] = by.momentum * velocity[i] + slope;
    weight[i] -= by.rate * (slope + by.momentum * velocity[i]);
  }
}

void adam(std::size_t count, const Constants& by, const float* __restrict gradient, float* __restrict mean,
          float* __restrict square, float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + by.decay * weight[i];
    mean[i] = by.beta1 * mean[i] + by.new1 * slope;
    square[i] = by.beta2 * square[i] + by.new2 * slope * slope;
    weight[i] = by.keep * weight[i] - by.rate * mean[i] / (std::sqrt(square[i]) + by.epsilon);
  }
}

void adadelta(std::size_t count, const Constants& by, const float* __restrict gradient, float* __restrict square,
              float* __restrict steps, float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + by.decay * weight[i];
    square[i] = by.rho * square[i] + by.new_rho * slope * slope;
    const float step = std::sqrt(steps[i] + by.offset) / std::sqrt(square[i] + by.offset) * slope;
    steps[i] = by.rho * steps[i] + by.new_rho * step * step;
    weight[i] -= by.rate * step;
  }
}

/// lamb's direction q of weight i.
float lamb_direction(std::size_t i, const Constants& by, const float* mean, const float* square, const float* weight) {
  return by.direction * mean[i] / (std::sqrt(square[i]) + by.epsilon) + by.decay * weight[i];
}

/// Steps of the mean and the mean square, and the norms that the update needs first.
SquaredNorms lamb_norms(std::size_t count, const Constants& by, const float* __restrict gradient,
                        float* __restrict mean, float* __restrict square, const float* __restrict weight) {
  for (std::size_t i = 0; i < count; ++i) {
    mean[i] = by.beta1 * mean[i] + by.new1 * gradient[i];
    square[i] = by.beta2 * square[i] + by.new2 * gradient[i] * gradient[i];
  }
  return {sum_of_squares(std::span<const float>(weight, count)), sum_of_squares(count, [&](std::size_t i) {
            return static_cast<double>(lamb_direction(i, by, mean, square, weight));
          })};
}

void lamb(std::size_t count, const Constants& by, const SquaredNorms& norms, const float* __restrict mean,
          const float* __restrict square, float* __restrict weight) {
  const double length = std::sqrt(norms.weights), step = std::sqrt(norms.direction);
  const double trust = length > 0 && step > 0 ? length / step : 1.0;
  const auto rate = static_cast<float>(static_cast<double>(by.rate) * trust);
  for (std::size_t i = 0; i < count; ++i) weight[i] -= rate * lamb_direction(i, by, mean, square, weight);
}

/// The layers as they touch, cut into runs of weights_per_update.
std::vector<NumberRange> cut(const std::vector<NumberRange>& layers) {
  constexpr auto most = static_cast<std::size_t>(weights_per_update);
  std::vector<NumberRange> runs, blocks;
  for (const NumberRange& layer : layers) {
    if (runs.empty() || runs.back().first + runs.back().count != layer.first) {
      runs.push_back(layer);
    } else {
      runs.back().count += layer.count;
    }
  }
  for (const NumberRange& run : runs) {
    for (std::size_t at = 0; at < run.count; at += most) {
      blocks.push_back({run.first + at, std::min(most, run.count - at)});
    }
  }
  return blocks;
}

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, std::vector<NumberRange> layers) : options_(options) {
  std::erase_if(layers, [](const NumberRange& layer) { return layer.count == 0; });
  for (std::size_t i = 1; i < layers.size(); ++i) {
    ORRERY_EXPECT(layers[i - 1].first + layers[i - 1].count <= layers[i].first);
  }
  const std::size_t end = layers.empty() ? 0 : layers.back().first + layers.back().count;
  if (optimizer_states(options.kind) >= 1) first_.resize(end);
  if (optimizer_states(options.kind) >= 2) second_.resize(end);
  blocks_ = options.kind == OptimizerKind::lamb ? std::move(layers) : cut(layers);
}

Optimizer::Optimizer(const OptimizerOptions& options, std::size_t parameters)
    : Optimizer(options, std::vector<NumberRange>{{0, parameters}}) {}

void Optimizer::restart(double learning_rate) {
  options_.learning_rate = learning_rate;
  steps_ = 0;
  std::fill(first_.begin(), first_.end(), 0.0F);
  std::fill(second_.begin(), second_.end(), 0.0F);
}

void Optimizer::step(std::span<float> weights, std::span<const float> gradients) {
  ORRERY_EXPECT(weights.size() == gradients.size());
  begin_step();
  for (const NumberRange& block : blocks_) update(block.first, block.of(weights), block.of(gradients));
}

void Optimizer::begin_step() {
  rate_ = options_.learning_rate * rate_share(options_.schedule, steps_);
  ++steps_;
}

void Optimizer::update(std::size_t offset, std::span<float> weights, std::span<const float> gradients) {
  const std::size_t count = weights.size();
  ORRERY_EXPECT(steps_ > 0 && count == gradients.size());
  ORRERY_EXPECT(first_.empty() || offset + count <= first_.size());
  const FlushDenormals flush;
  const Constants by = constants_of(options_, rate_, steps_);
  const float* gradient = gradients.data();
  float* weight = weights.data();
  float* first = first_.empty() ? nullptr : first_.data() + offset;
  float* second = second_.empty() ? nullptr : second_.data() + offset;
  switch (options_.kind) {
    case OptimizerKind::sgd:
      return sgd(count, by, gradient, weight);
    case OptimizerKind::momentum:
      ORRERY_EXPECT(first != nullptr);
      return momentum(count, by, gradient, first, weight);
    case OptimizerKind::nesterov:
      ORRERY_EXPECT(first != nullptr);
      return nesterov(count, by, gradient, first, weight);
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      ORRERY_EXPECT(first != nullptr && second != nullptr);
      return adam(count, by, gradient, first, second, weight);
    case OptimizerKind::adadelta:
      ORRERY_EXPECT(first != nullptr && second != nullptr);
      return adadelta(count, by, gradient, first, second, weight);
    case OptimizerKind::lamb:
      return apply(offset, weights, prepare(offset, weights, gradients));
  }
}

SquaredNorms Optimizer::prepare(std::size_t offset, std::span<const float> weights, std::span<const float> gradients) {
  const std::size_t count = weights.size();
  require_layer(offset, count);
  ORRERY_EXPECT(steps_ > 0 && count == gradients.size());
  const FlushDenormals flush;
  return lamb_norms(count, constants_of(options_, rate_, steps_), gradients.data(), first_.data() + offset,
                    second_.data() + offset, weights.data());
}

void Optimizer::apply(std::size_t offset, std::span<float> weights, const SquaredNorms& whole) {
  require_layer(offset, weights.size());
  const FlushDenormals flush;
  lamb(weights.size(), constants_of(options_, rate_, steps_), whole, first_.data() + offset, second_.data() + offset,
       weights.data());
}

/// lamb looks at whole layers, or at all that is here of one.
void Optimizer::require_layer(std::size_t offset, std::size_t count) const {
  ORRERY_EXPECT(options_.kind == OptimizerKind::lamb);
  ORRERY_EXPECT(std::find(blocks_.begin(), blocks_.end(), NumberRange{offset, count}) != blocks_.end());
}

double optimizer_flops(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd:
      return 2;  // multiply, subtract
    case OptimizerKind::momentum:
      return 4;  // velocity: multiply, add; weight: multiply, subtract
    case OptimizerKind::nesterov:
      return 6;  // momentum's, and one more multiply and add before the weight
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return 12;  // mean 3, square 4, weight: multiply, square root, add, divide, subtract
    case OptimizerKind::lamb:
      return 17;  // mean 3, square 4, direction: multiply, square root, add, divide; two norms: multiply, add each;
                  // weight: multiply, subtract
    case OptimizerKind::adadelta:
      return 16;  // square 4, step: two of add and square root, divide, multiply; square of steps 4, weight 2
  }
  return 0;
}

}  // namespace orrery
