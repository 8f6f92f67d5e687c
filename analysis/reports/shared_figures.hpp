// Figures that the files and the table on the terminal have alike.
#pragma once

#include <cstdint>
#include <optional>

#include "analysis/metrics/result_row.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

/// That take part, a parameter server included; federated: clients that hold data.
std::int64_t participating_devices(const ResultRow& row);

/// The step in seconds with the range that the constants of a layout give it; nothing where no constant has one.
std::optional<Ranged> step_range(const ResultRow& row);

}  // namespace orrery
