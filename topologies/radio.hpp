// What a client's radio or NIC draws for moving data, beyond the device's idle power.
#pragma once

#include <limits>

#include "sim/base/units.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// One transfer, or several without a pause between.
struct RadioBurst {
  Bytes down, up;  // as seen from the client
  Seconds active;  // while data really moved
  /// Until the same radio moves data again.
  Seconds quiet_after{std::numeric_limits<double>::infinity()};
};

/// With a radio: energy moved = base x active + J/bit x bits, at most maximum x active; then the tail, cut short when
/// quiet_after < tail_time. For power = base + a x rate (Huang et al., MobiSys 2012), a x rate x time = a x bits: the
/// rate itself does not matter. Without a radio: client_active x active, no tail. A burst that moved nothing in no time
/// draws nothing.
Joules radio_energy(const Link& link, const RadioBurst& burst);

}  // namespace orrery
