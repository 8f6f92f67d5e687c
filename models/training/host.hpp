// Facts about the machine that runs this.
#pragma once

#include <string>

#include "sim/base/units.hpp"

namespace orrery {

std::string processor_name();  // from /proc/cpuinfo, or "unknown processor"
int logical_cores();

/// Power of `cores` cores, assumed for whatever processor this is: a core's part of an Intel Xeon Platinum 8480+, 350 W
/// TDP over 56 cores (Intel's data sheet, through CodeCarbon's table); its idle 100 W and 320 W while training are
/// estimates (see xeon-8480p in topologies/catalogue/devices.csv).
struct HostPower {
  Watts idle, typical, maximum;
};
HostPower assumed_host_power(int cores);

}  // namespace orrery
