#include "models/training/federated/client_loss.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {

double ClientLoss::mean(std::span<const float> weights, const Samples& samples, std::span<const std::size_t> indices) {
  ORRERY_EXPECT(!indices.empty());
  BatchResult sum;
  const std::size_t slice = plan_->samples_per_slice();
  for (std::size_t first = 0; first < indices.size(); first += slice) {
    const auto part = indices.subspan(first, std::min(slice, indices.size() - first));
    runner_.start(weights, batch_.gather(samples, part), {.mode = Mode::evaluation});
    runner_.forward(0, plan_->kernels(), {});
    sum += runner_.loss();
  }
  return sum.loss_sum / static_cast<double>(sum.samples);
}

}  // namespace orrery
