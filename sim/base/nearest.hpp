// Values that would do in the place of one that does not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace orrery {

/// "4 or 8": the divisors of `whole` next below and next above `value`.
std::string nearest_divisors(std::int64_t whole, std::int64_t value);

/// "4 or 8": the values from 1 to `most` next below and next above `value` that would do; empty where none does.
std::string nearest_values(std::int64_t value, std::int64_t most, const std::function<bool(std::int64_t)>& would_do);

}  // namespace orrery
