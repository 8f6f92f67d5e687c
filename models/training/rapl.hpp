// Energy of this machine's processors, as they count it themselves.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

/// The energy counters of all processor packages, by Linux's powercap interface (kernel documentation, "Power Capping
/// Framework"): Intel's RAPL, and the same of AMD. They count everything that a package does, whoever asked for it.
/// Not there in virtual machines; readable by root alone in most systems.
class PackageEnergy {
 public:
  /// Packages are the folders intel-rapl:N whose `name` begins with "package". Nothing when there is none, or one that
  /// cannot be read: a part of the machine's energy would look like all of it.
  static std::optional<PackageEnergy> open(const std::filesystem::path& folder = "/sys/class/powercap");

  /// Energy since the last call, or since open(). A counter that came round (at max_energy_range_uj, after some 15
  /// minutes at full power) is followed once, so ask more often. Nothing when a counter can no longer be read.
  std::optional<Joules> since_last();

 private:
  struct Counter {
    std::filesystem::path file;
    double range_uj = 0, last_uj = 0;
  };
  explicit PackageEnergy(std::vector<Counter> counters) : counters_(std::move(counters)) {}
  std::vector<Counter> counters_;
};

}  // namespace orrery
