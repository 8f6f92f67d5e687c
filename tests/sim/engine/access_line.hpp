// A host's line in bare numbers, for tests.
#pragma once

#include "sim/engine/star_network.hpp"

namespace orrery {

/// Bytes per second each way, seconds.
inline AccessLine line(double up, double down, double latency = 0.0) {
  return {BytesPerSecond(up), BytesPerSecond(down), Seconds(latency)};
}

}  // namespace orrery
