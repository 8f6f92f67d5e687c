// Work in whole pieces, shared out over workers of different speed.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

/// A worker takes `fixed` + n x `each` for n pieces.
struct Pace {
  Seconds fixed, each;
};

/// How many pieces each worker gets: at least one, all of them together, and so that the last is done as early as it
/// can be; of equally good workers the earlier one gets more. Each further piece goes to whom it makes done first,
/// which is best for times that grow with the pieces. Contract: at least as many pieces as workers.
std::vector<std::int64_t> share_out(const std::vector<Pace>& workers, std::int64_t pieces);

}  // namespace orrery
