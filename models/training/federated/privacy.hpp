// Differential privacy: what it does to updates, and what it promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/random.hpp"

namespace orrery {

/// central: the server adds noise to the sum of clipped updates (McMahan et al. 2018, DP-FedAvg: every client weighs
/// the same): neighbours are federations with and without one client, whose sums differ by `clip`. local: every client
/// adds noise to its own clipped update before it is sent: neighbours are any two updates of that client (it cannot be
/// left out of what it sends itself), up to 2 clip apart.
enum class PrivacyKind : std::uint8_t { none, central, local };

struct PrivacyOptions {
  PrivacyKind kind = PrivacyKind::none;
  double clip = 1.0;              // largest L2 norm of a client's update
  double noise_multiplier = 1.0;  // standard deviation of the noise / clip
  double delta = 1e-5;
};

/// Deviation of the noise / sensitivity of one local release: noise_multiplier / 2, what RdpAccountant is to be told.
double local_noise_multiplier(const PrivacyOptions& options);

/// Scales the update down to the norm `clip` when it is longer. Returns the norm before.
double clip_update(std::span<float> update, double clip);
/// Adds normal noise of this deviation to every number.
void add_noise(std::span<float> numbers, double deviation, Random& random);

/// Renyi differential privacy of the subsampled Gaussian mechanism (Mironov, Talwar, Zhang 2019; integer orders 2 to
/// 256 with Poisson sampling at rate q), composed over rounds, turned into (epsilon, delta) by the conversion of
/// Canonne, Kamath and Steinke 2020 (the smallest over the orders).
class RdpAccountant {
 public:
  /// One more release: each client took part with chance `rate` (1: no amplification).
  void add(double rate, double noise_multiplier, std::int64_t times = 1);
  [[nodiscard]] double epsilon(double delta) const;  // infinity without noise, 0 before the first release
  /// Renyi divergence spent at this order, 2 to 256.
  [[nodiscard]] double rdp(int order) const;

 private:
  std::vector<double> spent_;  // by order; empty: nothing
  // The last release's, since rounds repeat it
  double rate_ = -1, noise_multiplier_ = -1;
  std::vector<double> once_;
};

}  // namespace orrery
