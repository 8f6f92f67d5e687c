// What an activity is to the device of its rank.
#pragma once

#include <cstdint>

#include "sim/program/records.hpp"

namespace orrery {

/// kernel: the device computes. within: an exchange of tensor, context or expert ranks, which the device goes through
/// between kernels of its pass. host: the processor that starts the kernels is at work. loader: training data is made
/// ready. beside: every other exchange or message; it goes on whatever the device and its host do.
enum class ActivityRole : std::uint8_t { kernel, within, host, loader, beside };

inline ActivityRole role_of(const Activity& activity) {
  if (activity.stream == Stream::compute) return ActivityRole::kernel;
  if (activity.stream == Stream::host) return ActivityRole::host;
  if (activity.phase == Phase::input) return ActivityRole::loader;
  const Dimension why = activity.dimension;
  const bool is_within = why == Dimension::tp || why == Dimension::cp || why == Dimension::ep;
  return is_within ? ActivityRole::within : ActivityRole::beside;
}

}  // namespace orrery
