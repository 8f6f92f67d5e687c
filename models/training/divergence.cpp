#include "models/training/divergence.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace orrery {

void require_finite_loss(const BatchResult& result, std::int64_t step, double learning_rate) {
  if (std::isfinite(result.loss_sum)) return;
  throw std::runtime_error(
      fmt::format("the loss is not finite at step {} (the weights diverged) - lower the learning "
                  "rate, which is {}",
                  step, learning_rate));
}

}  // namespace orrery
