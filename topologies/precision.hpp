// Number formats of training.
#pragma once

#include <cstdint>
#include <string_view>

#include "sim/base/units.hpp"

namespace orrery {

enum class Precision : std::uint8_t { fp64, fp32, tf32, fp16, bf16, fp8, int8 };
std::string_view name_of(Precision precision);
/// Bytes of one number as stored and sent (tf32 is stored as fp32).
Bytes bytes_per_number(Precision precision);

}  // namespace orrery
