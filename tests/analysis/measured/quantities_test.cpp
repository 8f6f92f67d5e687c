// Counts, rates and sizes in the spellings of people.
#include "analysis/validation/measured/quantities.hpp"

#include <string>

#include "tests/catch.hpp"

namespace orrery {

TEST_CASE("counts of NICs in every way that people write them") {
  for (const char* text : {"8x 400Gb/s IB", "8 x 200Gb/s IB", "8x200Gb/s HDR", "8x200Gb/s", "8×400Gb/s IB", "8 × NDR",
                           "8X HDR", "x8 HDR200", "IB, x8", "8xHDR", "2 pods, 8x 25GbE", "8x400G"}) {
    INFO(text);
    CHECK(count_in(text) == 8);
  }
  for (const char* text : {"4x4 V100 PCIe, 10 Gb/s", "4 x 4 V100, 10 Gb/s", "2x8 V100 NVLink, 25 Gb/s", "HDR PCIe x16",
                           "RoCE v2 400G", "0x HDR", "1.5x HDR", "2 XDR", "NVLink4x"}) {
    INFO(text);
    CHECK_FALSE(count_in(text).has_value());
  }
}

TEST_CASE("rates of networks without their seconds are in bits") {
  const auto gigabits = [](const std::string& text) {
    const auto rate = network_rate_in(text);
    return rate ? rate->bytes_per_second * 8 / 1e9 : 0;
  };
  CHECK(gigabits("25GbE") == 25);
  CHECK(gigabits("10 GbE") == 10);
  CHECK(gigabits("1x 25GbE per node") == 25);
  CHECK(gigabits("RoCE v2 400G") == 400);
  CHECK(gigabits("400G IB") == 400);
  CHECK(gigabits("100gbps") == 100);
  CHECK(gigabits("100gbe") == 100);
  CHECK(gigabits("16GB V100, 10 Gb/s") == 10);
  CHECK(gigabits("25 GB/s") == 200);
  CHECK(gigabits("16GB V100") == 0);
  CHECK(gigabits("4x4 GPUs") == 0);
  CHECK(generation_rate_in("x4 HDR100")->bytes_per_second == 12.5e9);
  CHECK_FALSE(generation_rate_in("HDR").has_value());
}

TEST_CASE("sizes are read strictly") {
  CHECK(size_in("all_reduce 1-8 GiB") == 8.0 * 1024 * 1024 * 1024);
  CHECK(size_in("all_reduce 0 B") == 0.0);
  CHECK(size_in("all_reduce 8K") == 8.0 * 1024);
  CHECK(size_in("all_reduce 2G") == 2.0 * 1024 * 1024 * 1024);
  CHECK(size_in("all_reduce (4MiB)") == 4.0 * 1024 * 1024);
  for (const char* text : {"all_reduce -5 B", "all_reduce 1e6 B", "all_reduce 1,024 MiB", "all_reduce 5 Bananas",
                           "all_reduce 1 MiB/s", "all_reduce .5 GiB", "all_reduce 1 MiB, 2 MiB", "all_reduce v2B"}) {
    INFO(text);
    CHECK_FALSE(size_in(text).has_value());
  }
}

}  // namespace orrery
