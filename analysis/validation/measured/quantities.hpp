// Rates, sizes and counts as people write them in tables ("8x HDR IB 200Gb/s per node", "4 MiB").
#pragma once

#include <optional>
#include <string_view>

namespace orrery {

/// A rate as written, in bytes per second. Small b: bits. "200Gb/s", "1.8 TB/s", "10 Gbps", "100 Gbit/s".
struct WrittenRate {
  double bytes_per_second = 0;
  bool in_bits = false;
};
std::optional<WrittenRate> rate_in(std::string_view text);
/// Of a network, whose rates are in bits where nothing else is said: also "25GbE", "10 GbE", "400G", "200Gb".
std::optional<WrittenRate> network_rate_in(std::string_view text);
/// Of one NIC, behind its generation of InfiniBand: "HDR100".
std::optional<WrittenRate> generation_rate_in(std::string_view text);

/// A size as written, in bytes: "64KiB", "4 MiB", "268MB", "1048576 B", "1GB"; "8M" is 8 MiB, as nccl-tests have it; of
/// "1-8 GiB" the end. Nothing when there is none ("large"), when it is below nothing or no plain number ("-5 B", "1e6
/// B", "1,024 B"), or when there are two.
std::optional<double> size_in(std::string_view text);

/// How many there are of what is named: 8 in "8x HDR", "8 x 200Gb/s", "8x200Gb/s", "8×400Gb/s", "x8 HDR". Not of
/// "4x4 V100", where another count follows, nor of the lanes in "PCIe x16".
std::optional<int> count_in(std::string_view text);

}  // namespace orrery
