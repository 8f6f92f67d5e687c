// Bytes that an update moves.
#include "models/cost/optimizer_cost.hpp"

#include "tests/catch.hpp"

namespace orrery {

TEST_CASE("an update in fp64 moves twice the bytes of one in fp32, fused or not") {
  FrameworkProfile fused, loops;
  fused.host_update_us = Ranged(0), loops.host_update_us = Ranged(10);
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::nesterov,
                                   OptimizerKind::adam, OptimizerKind::lamb, OptimizerKind::adadelta}) {
    for (const FrameworkProfile& framework : {fused, loops}) {
      CHECK(update_bytes(framework, kind, Precision::fp64) == 2 * update_bytes(framework, kind, Precision::fp32));
      CHECK(update_bytes(framework, kind, Precision::tf32) == update_bytes(framework, kind, Precision::fp32));
    }
  }
  // Weight, gradient, mean and mean square read, all but the gradient written, 8 bytes each.
  CHECK(update_bytes(fused, OptimizerKind::adam, Precision::fp64) == 7 * 8);
  CHECK(update_bytes(loops, OptimizerKind::sgd, Precision::fp64) == 3 * 8);
  CHECK(update_bytes(fused, OptimizerKind::adam, Precision::bf16) == fused.optimizer_bytes_adam_mixed.value);
}

}  // namespace orrery
