#include "models/training/host.hpp"

#include <unistd.h>

#include <fstream>
#include <string_view>

#include "sim/base/text.hpp"

namespace orrery {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || trim(line.substr(0, colon)) != "model name") continue;
    return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return "unknown processor";
}

int logical_cores() {
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

HostPower assumed_host_power(int cores) {
  constexpr double of_a_core = 1.0 / 56;
  return {Watts(100 * of_a_core * cores), Watts(320 * of_a_core * cores), Watts(350 * of_a_core * cores)};
}

}  // namespace orrery
