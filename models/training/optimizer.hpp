// Optimizers as mathematics on flat vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/training/learning_rate.hpp"
#include "models/training/number_range.hpp"

namespace orrery {

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double learning_rate = 0.1;
  double momentum = 0.9;                              // momentum, nesterov
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam, adamw, lamb; defaults of Kingma and Ba 2015
  double rho = 0.9, offset = 1e-6;                    // adadelta; PyTorch's defaults
  double weight_decay = 0;                            // of all parameters, biases and normalisations included
  double clip_norm = 0;                               // largest norm of the whole gradient; 0: not clipped
  LearningRateSchedule schedule{};
};

/// lamb: |w|^2 and |q|^2 of a layer or a part of it.
struct SquaredNorms {
  double weights = 0, direction = 0;
};

/// With g the gradient, w a weight, r the learning rate of the step (schedule included), d the weight decay, t the step
/// counted from 1, u the momentum. Where PyTorch has the optimizer, the formulas are PyTorch's; decay reaches every
/// parameter, as there by default.
/// sgd:       w -= r (g + d w)
/// momentum:  v = u v + g + d w;  w -= r v
/// nesterov:  v = u v + g + d w;  w -= r (g + d w + u v)
/// adam (Kingma and Ba 2015; decay as part of the gradient): h = g + d w; m = b1 m + (1 - b1) h;
///            s = b2 s + (1 - b2) h^2;  w -= r m' / (sqrt(s') + epsilon), m' = m / (1 - b1^t), s' = s / (1 - b2^t)
/// adamw (Loshchilov and Hutter 2019): adam without decay, after w -= r d w
/// lamb (You et al. 2020, algorithm 2, with the identity as phi), layer by layer: m, s as adam without decay;
///            q = m' / (sqrt(s') + epsilon) + d w;  w -= r (|w| / |q|) q; the ratio is 1 where either norm is 0
/// adadelta (Zeiler 2012; decay as part of the gradient): h = g + d w; s = rho s + (1 - rho) h^2;
///            x = sqrt(a + offset) / sqrt(s + offset) h;  a = rho a + (1 - rho) x^2;  w -= r x
/// Clipping is not done here: it needs the whole gradient first (clip_factor()).
class Optimizer {
 public:
  /// layers: the weights of each layer that trains, in order and without overlap; what lies between is never touched.
  Optimizer(const OptimizerOptions& options, std::vector<NumberRange> layers);
  /// All weights, as one layer.
  Optimizer(const OptimizerOptions& options, std::size_t parameters);

  /// From the first step on again, with states of 0 and this learning rate.
  void restart(double learning_rate);

  /// One update of all weights. Spans over the whole vector.
  void step(std::span<float> weights, std::span<const float> gradients);

  /// The same in parts: begin_step() once, then update() for every block, in any order and on any thread, with the same
  /// bits. `offset` is the place of weights[0] in the whole. A part must be one of blocks() for lamb, which looks at a
  /// layer at a time; any other run of weights of one layer will do for the others.
  void begin_step();
  void update(std::size_t offset, std::span<float> weights, std::span<const float> gradients);
  /// lamb's update() of a layer whose weights lie in parts in several places: prepare() each part, add the squares up
  /// over all of them, apply() the sum to each.
  SquaredNorms prepare(std::size_t offset, std::span<const float> weights, std::span<const float> gradients);
  void apply(std::size_t offset, std::span<float> weights, const SquaredNorms& whole);
  /// Where to cut: whole layers for lamb; else runs of at most weights_per_update, which may span layers that touch.
  [[nodiscard]] const std::vector<NumberRange>& blocks() const { return blocks_; }

  /// Learning rate of the step begun last.
  [[nodiscard]] double rate() const { return rate_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  void require_layer(std::size_t offset, std::size_t count) const;

  OptimizerOptions options_;
  std::vector<NumberRange> blocks_;
  std::vector<float> first_, second_;  // momentum or mean; mean square; as long as the weights
  std::int64_t steps_ = 0;
  double rate_ = 0;
};

/// Floating-point operations per parameter of one step without weight decay: each operation of the formulas counted
/// once.
double optimizer_flops(OptimizerKind kind);

}  // namespace orrery
