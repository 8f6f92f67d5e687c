// Differential privacy and secure aggregation: what they do to the weights, what they cost, what they promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/base/units.hpp"

namespace orrery {

/// central: the server adds noise to the sum of clipped updates (McMahan et al. 2018, DP-FedAvg: every client weighs
/// the same). local: every client adds noise to its own clipped update before it is sent.
enum class PrivacyKind : std::uint8_t { none, central, local };

struct PrivacyOptions {
  PrivacyKind kind = PrivacyKind::none;
  double clip = 1.0;              // largest L2 norm of a client's update
  double noise_multiplier = 1.0;  // standard deviation of the noise / clip
  double delta = 1e-5;
};

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
  [[nodiscard]] double epsilon(double delta) const;  // infinity without noise

 private:
  std::vector<double> rdp_;  // by order
};

/// Secure aggregation (Bonawitz et al. 2017): what a round of `clients` with updates of `numbers` costs one client and
/// the server, and how the sum is rounded. Formulas and constants with their sources stand in the .cpp file.
struct SecureAggregationCost {
  Bytes up, down;  // of one client, beside or instead of its update: keys, shares, masked vector, unmasking
  Seconds client_compute, server_compute;  // at one giga-operation per second of the device; scaled by the caller
  int round_trips = 0;                     // message rounds before and after the upload
};
struct SecureAggregationOptions {
  double threshold = 0.67;  // share of the clients that must survive for the sum to be recovered
  int bits = 32;            // of the ring in which updates are added
  double range = 4.0;       // updates are clipped to [-range, range] before they are rounded
};
SecureAggregationCost secure_aggregation_cost(const SecureAggregationOptions& options, std::size_t clients,
                                              std::size_t dropped, std::size_t numbers);
/// Rounds to the ring's grid: what the sum of masked updates gives exactly.
void round_to_ring(std::span<float> update, const SecureAggregationOptions& options, std::size_t clients);

}  // namespace orrery
