// Secure aggregation: the server learns the sum of the clients' updates and nothing else.
#pragma once

#include <cstddef>
#include <span>

#include "sim/base/units.hpp"

namespace orrery {

struct SecureAggregationOptions {
  double threshold = 0.67;  // share of the clients that must survive for the sum to be recovered
  int bits = 32;            // of the ring in which updates are added
  double range = 4.0;       // updates are clipped to [-range, range] before they are rounded
};

/// How many of the clients asked (over-selection included: keys and shares are made among all of them) must survive for
/// the sum to be recovered: ceil(threshold asked), at least 1. With fewer, nothing is learned of the round.
std::size_t secure_minimum(const SecureAggregationOptions& options, std::size_t asked);

/// What a round of `clients` (all who were asked, over-selection included) with updates of `numbers`, of whom `dropped`
/// vanish before they upload, costs one client and the server: Bonawitz et al. 2017, formulas and constants in the .cpp
/// file.
struct SecureAggregationCost {
  Bytes up;    // of one client: keys, encrypted shares, masked update (instead of the update), shares for unmasking
  Bytes down;  // of one client, beside the model: keys and shares of the others, the list of the survivors
  // On one core of 1e9 operations per second, whatever the device: expanding masks, agreeing on keys and joining shares
  // are integer work on one core, which a device's peak of floating-point operations says nothing about. Not to be
  // scaled by that peak.
  Seconds client_compute, server_compute;
  int round_trips = 0;  // messages there and back beside the upload
};
SecureAggregationCost secure_aggregation_cost(const SecureAggregationOptions& options, std::size_t clients,
                                              std::size_t dropped, std::size_t numbers);

/// Values of an update's number on either side of 0: the ring must hold the sum of all clients, so floor((2^bits - 1) /
/// clients / 2). Below 1 the ring is too small.
double ring_intervals(const SecureAggregationOptions& options, std::size_t clients);
/// assumed: the fewest that leave something of an update, those of int8 compression. Coarser rings are refused.
inline constexpr int least_ring_intervals = 127;

/// Clips to [-range, range] and rounds to multiples of range / ring_intervals(): what the sum of masked updates gives
/// exactly. (The weights of an average, which clients would apply before masking, are applied after: the error of
/// rounding does not depend on them.)
void round_to_ring(std::span<float> update, const SecureAggregationOptions& options, std::size_t clients);

}  // namespace orrery
