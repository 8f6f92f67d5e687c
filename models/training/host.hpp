// Facts about the machine that runs this.
#pragma once

#include <string>

namespace orrery {

std::string processor_name();  // from /proc/cpuinfo, or "unknown processor"
int logical_cores();

}  // namespace orrery
