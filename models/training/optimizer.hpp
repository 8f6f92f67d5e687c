// Optimizers as mathematics on flat vectors.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/cost/cost_model.hpp"

namespace orrery {

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double learning_rate = 0.1;
  double momentum = 0.9;                              // momentum SGD: v = momentum v + g; w -= learning_rate v
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // Adam (Kingma and Ba 2015), with bias correction
};

class Optimizer {
 public:
  Optimizer(OptimizerOptions options, std::size_t parameters);

  /// One update of all weights.
  void step(std::span<float> weights, std::span<const float> gradients);

  /// The same in parts: begin_step() once, then update() for every part, in any order and on any thread. `offset` is
  /// the place of weights[0] in the whole.
  void begin_step() { ++steps_; }
  void update(std::size_t offset, std::span<float> weights, std::span<const float> gradients);

 private:
  OptimizerOptions options_;
  std::vector<float> first_, second_;
  long steps_ = 0;
};

/// Floating-point operations per parameter of one step: each operation of the formulas counted once.
double optimizer_flops(OptimizerKind kind);

}  // namespace orrery
