// Training that went astray is an error, not a number.
#pragma once

#include <cstdint>

#include "models/kernels/softmax_cross_entropy.hpp"

namespace orrery {

/// Throws std::runtime_error naming the step when the loss is infinite or not a number.
void require_finite_loss(const BatchResult& result, std::int64_t step, double learning_rate);

}  // namespace orrery
