#include "models/training/federated/server_step.hpp"

#include <algorithm>

#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

std::vector<double> weighted_sum(std::span<const ClientUpdate> updates, std::span<const double> factors,
                                 std::size_t first, std::size_t last) {
  ORRERY_EXPECT(updates.size() == factors.size() && first <= last);
  for (const ClientUpdate& update : updates) ORRERY_EXPECT(update.delta.size() >= last);
  constexpr std::size_t block = 8192;  // numbers; their sums stay in a core's cache
  std::vector<double> sum(last - first);
  for_each_task((sum.size() + block - 1) / block, default_workers(), [&](std::size_t task, std::size_t) {
    const std::size_t from = task * block, count = std::min(block, sum.size() - from);
    double* __restrict to = sum.data() + from;
    for (std::size_t k = 0; k < updates.size(); ++k) {
      const float* __restrict delta = updates[k].delta.data() + first + from;
      const double factor = factors[k];
      for (std::size_t i = 0; i < count; ++i) to[i] += factor * static_cast<double>(delta[i]);
    }
  });
  return sum;
}

std::vector<double> sample_shares(std::span<const ClientUpdate> updates) {
  double samples = 0;
  for (const ClientUpdate& update : updates) samples += static_cast<double>(update.samples);
  ORRERY_EXPECT(samples > 0);
  std::vector<double> shares;
  for (const ClientUpdate& update : updates) shares.push_back(static_cast<double>(update.samples) / samples);
  return shares;
}

std::vector<double> mean_delta(std::span<const ClientUpdate> updates, std::size_t first, std::size_t last) {
  return weighted_sum(updates, sample_shares(updates), first, last);
}

void add_step(std::span<float> weights, std::span<const double> step, double rate) {
  ORRERY_EXPECT(weights.size() == step.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(static_cast<double>(weights[i]) + rate * step[i]);
  }
}

void average_statistics(std::span<float> weights, std::span<const ClientUpdate> updates, std::size_t parameters) {
  if (weights.size() == parameters) return;
  add_step(weights.subspan(parameters), mean_delta(updates, parameters, weights.size()), 1.0);
}

}  // namespace orrery
