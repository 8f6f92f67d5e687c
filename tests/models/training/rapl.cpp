// Energy counters, from a folder made for the test.
#include "models/training/rapl.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "models/training/host.hpp"
#include "models/training/profiler.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

/// /sys/class/powercap of a machine that does not exist.
class Powercap {
 public:
  Powercap() : path_(fs::temp_directory_path() / ("orrery-powercap-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Powercap() { fs::remove_all(path_); }
  Powercap(const Powercap&) = delete;
  Powercap& operator=(const Powercap&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  void put(const std::string& zone, const std::string& name, const std::string& energy) const {
    fs::create_directories(path_ / zone);
    std::ofstream(path_ / zone / "name") << name << "\n";
    std::ofstream(path_ / zone / "energy_uj") << energy << "\n";
    std::ofstream(path_ / zone / "max_energy_range_uj") << "10000000\n";
  }

 private:
  fs::path path_;
};

TEST_CASE("Packages are added up, their parts and the whole platform are not counted again") {
  const Powercap folder;
  folder.put("intel-rapl:0", "package-0", "1000000");
  folder.put("intel-rapl:1", "package-1", "5000000");
  folder.put("intel-rapl:0:0", "dram", "0");
  folder.put("intel-rapl:2", "psys", "0");
  auto energy = PackageEnergy::open(folder.path());
  REQUIRE(energy);
  CHECK(energy->since_last()->value() == 0.0);
  folder.put("intel-rapl:0", "package-0", "1500000");
  folder.put("intel-rapl:1", "package-1", "5250000");
  folder.put("intel-rapl:0:0", "dram", "100000");
  folder.put("intel-rapl:2", "psys", "900000");
  CHECK(energy->since_last()->value() == Approx(0.75));
  CHECK(energy->since_last()->value() == 0.0);
}

TEST_CASE("A counter that came round is followed") {
  const Powercap folder;
  folder.put("intel-rapl:0", "package-0", "9900000");
  auto energy = PackageEnergy::open(folder.path());
  REQUIRE(energy);
  folder.put("intel-rapl:0", "package-0", "200000");
  CHECK(energy->since_last()->value() == Approx(0.3));
}

TEST_CASE("Where a package cannot be read there is no energy, rather than a part of it") {
  const Powercap folder;
  CHECK_FALSE(PackageEnergy::open(folder.path()));
  CHECK_FALSE(PackageEnergy::open(folder.path() / "missing"));
  folder.put("intel-rapl:2", "psys", "0");
  CHECK_FALSE(PackageEnergy::open(folder.path()));
  folder.put("intel-rapl:0", "package-0", "1");
  folder.put("intel-rapl:1", "package-1", "secret");
  CHECK_FALSE(PackageEnergy::open(folder.path()));
  folder.put("intel-rapl:1", "package-1", "1");
  auto energy = PackageEnergy::open(folder.path());
  REQUIRE(energy);
  fs::remove(folder.path() / "intel-rapl:1" / "energy_uj");
  CHECK_FALSE(energy->since_last());
}

TEST_CASE("A profile's notes say the energy of a step, and by what it was found") {
  const Powercap folder;
  ProfileOptions options{.batches = {4}, .threads = {2}, .warm_up = 1, .repeats = 5};
  options.powercap = folder.path();
  const std::string modelled = measure_profile(two_hidden_layers(16), options).notes.back();
  CHECK(modelled.find("energy: batch 4, 2 threads: ") == 0);
  CHECK(modelled.find(" J per step by device model (11.43 W assumed x ") != std::string::npos);

  // Every step, the first for warming up included, takes 0.5 J.
  double microjoules = 0;
  folder.put("intel-rapl:0", "package-0", "0");
  options.progress = [&](double) {
    microjoules += 500000;
    folder.put("intel-rapl:0", "package-0", std::to_string(static_cast<long>(microjoules)));
  };
  CHECK(measure_profile(two_hidden_layers(16), options).notes.back() ==
        "energy: batch 4, 2 threads: 0.5 J per step by RAPL (whole processor packages, 5 steps)");
}

TEST_CASE("The power assumed of a core is a 56th of the processor it was taken from") {
  CHECK(assumed_host_power(56).idle.value() == Approx(100));
  CHECK(assumed_host_power(56).typical.value() == Approx(320));
  CHECK(assumed_host_power(28).maximum.value() == Approx(175));
}

}  // namespace
}  // namespace orrery
