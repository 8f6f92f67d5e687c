#include "models/training/rapl.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

namespace orrery {
namespace {

namespace fs = std::filesystem;

std::optional<double> number_in(const fs::path& file) {
  std::ifstream stream(file);
  double number = 0;
  return stream >> number && number >= 0 ? std::optional(number) : std::nullopt;
}

/// "intel-rapl:0" is a package or the whole platform, "intel-rapl:0:1" a part of a package.
bool is_package(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) return false;
  std::ifstream stream(folder / "name");
  std::string zone;
  return stream >> zone && zone.starts_with("package");
}

}  // namespace

std::optional<PackageEnergy> PackageEnergy::open(const fs::path& folder) {
  std::vector<Counter> counters;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (!is_package(entry.path())) continue;
    const fs::path file = entry.path() / "energy_uj";
    const auto range = number_in(entry.path() / "max_energy_range_uj"), now = number_in(file);
    if (!range || !now) return std::nullopt;
    counters.push_back({file, *range, *now});
  }
  if (error || counters.empty()) return std::nullopt;
  return PackageEnergy(std::move(counters));
}

std::optional<Joules> PackageEnergy::since_last() {
  double sum_uj = 0;
  for (Counter& counter : counters_) {
    const auto now = number_in(counter.file);
    if (!now) return std::nullopt;
    sum_uj += *now >= counter.last_uj ? *now - counter.last_uj : *now - counter.last_uj + counter.range_uj;
    counter.last_uj = *now;
  }
  return Joules(sum_uj * micro);
}

}  // namespace orrery
