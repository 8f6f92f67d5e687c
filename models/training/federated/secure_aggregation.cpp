// Bonawitz, Ivanov, Kreuter, Marcedone, McMahan, Patel, Ramage, Segal, Seth 2017, Practical Secure Aggregation for
// Privacy-Preserving Machine Learning (CCS 2017). Of one of n clients with a vector of m numbers in a ring of b bits,
// public keys of k = 256 bits and secret shares of s = 256 bits (section 7), both directions together:
//   2 n k + (5 n - 4) s + n + m b bits
// It sends 2 keys, n - 1 pairs of encrypted shares, the masked vector and n shares for unmasking; it gets 2 (n - 1)
// keys, n - 1 pairs of shares and the list of survivors. With inputs of 16 bits, b = 16 + log2 n, this is the paper's
// expansion of 1.73 (n = 2^10, m = 2^20) and 1.98 (n = 2^14, m = 2^24).
#include "models/training/federated/secure_aggregation.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double key_bits = 256, share_bits = 256, bits_per_byte = 8;
// assumed: operations of expanding one number of a mask (AES in counter mode without special instructions, some 10 per
// byte of a 32-bit word, and the addition) and of agreeing on one key (a multiplication on a 256-bit elliptic curve).
constexpr double mask_operations = 50, agreement_operations = 1e6;
// assumed: of one step of making or joining a share: a product and a sum in a field of 256 bits.
constexpr double share_operations = 100;
constexpr double operations_per_second = 1e9;

}  // namespace

double ring_intervals(const SecureAggregationOptions& options, std::size_t clients) {
  return std::floor((std::exp2(options.bits) - 1) / static_cast<double>(clients) / 2);
}

std::size_t secure_minimum(const SecureAggregationOptions& options, std::size_t asked) {
  ORRERY_EXPECT(options.threshold > 0 && options.threshold <= 1);
  // A product that only rounding lifts above a whole number (0.55 x 100) asks for no further client.
  constexpr double rounding = 1e-9;
  const double needed = std::ceil(options.threshold * static_cast<double>(asked) - rounding);
  return std::max<std::size_t>(1, static_cast<std::size_t>(needed));
}

SecureAggregationCost secure_aggregation_cost(const SecureAggregationOptions& options, std::size_t clients,
                                              std::size_t dropped, std::size_t numbers) {
  ORRERY_EXPECT(options.bits > 0 && clients > 0 && dropped <= clients);
  const auto n = static_cast<double>(clients), lost = static_cast<double>(dropped), m = static_cast<double>(numbers);
  const double survivors = n - lost, threshold = static_cast<double>(secure_minimum(options, clients));
  SecureAggregationCost cost;
  cost.up = Bytes((2 * key_bits + 2 * (n - 1) * share_bits + n * share_bits + m * options.bits) / bits_per_byte);
  cost.down = Bytes((2 * (n - 1) * key_bits + 2 * (n - 1) * share_bits + n) / bits_per_byte);
  // Client: two secrets shared over n with polynomials of the threshold's degree, a key with and a mask for every other
  // client, and its own mask: O(n^2 + m n).
  const double client = 2 * n * threshold * share_operations + (n - 1) * agreement_operations + n * m * mask_operations;
  // Server: a secret joined for every client (the coefficients once); the masks of the survivors themselves, and
  // between each who dropped and each survivor, whose keys it must agree on again: O(m n^2) in the worst case.
  const double server = threshold * (threshold + n) * share_operations +
                        (survivors + lost * survivors) * m * mask_operations + lost * survivors * agreement_operations;
  cost.client_compute = Seconds(client / operations_per_second);
  cost.server_compute = Seconds(server / operations_per_second);
  cost.round_trips = 3;  // advertising keys, sharing keys, unmasking
  return cost;
}

void round_to_ring(std::span<float> update, const SecureAggregationOptions& options, std::size_t clients) {
  ORRERY_EXPECT(options.bits > 0 && options.range > 0 && clients > 0);
  const double intervals = ring_intervals(options, clients);
  ORRERY_EXPECT(intervals >= 1);
  const double step = options.range / intervals;
  for (float& number : update) {
    const double clipped = std::clamp(static_cast<double>(number), -options.range, options.range);
    number = static_cast<float>(std::round(clipped / step) * step);
  }
}

}  // namespace orrery
