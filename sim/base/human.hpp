// Figures for reading: three significant digits and a unit that fits. Files never use these.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/units.hpp"

namespace orrery {

std::string human(Seconds time);  // 12.3 ms, 4.56 min, 7.89 h, 1.23 d
/// "11.6-16.8": both ends in the unit of human(middle), which stands beside them.
std::string human_range(Seconds low, Seconds high, Seconds middle);
std::string human(Bytes bytes);                                       // decimal: 12.3 MB = 12.3e6 bytes
std::string human(Joules energy);                                     // 12.3 kJ
std::string human_mass(double kilograms);                             // 12.3 g
std::string human_memory(Bytes bytes);                                // binary: 12.3 MiB = 12.3 x 2^20 bytes
std::string human_ratio(double ratio);                                // 1.23x
std::string human_percent(double share);                              // 12%, <1% for a little
std::string human_accuracy(double share);                             // 85.25%
std::string human_cost(double amount, const std::string& currency);   // 12.30 EUR, 1234 EUR, 7.86e-6 EUR
std::string human_count(std::uint64_t count, std::string_view noun);  // 1 bucket, 3 buckets

}  // namespace orrery
