// The wires of a cluster with as few ranks as give what simulating all would.
#pragma once

#include <cstdint>

#include "scenarios/strategies/hybrid_platform.hpp"

namespace orrery {

/// Ranks, placement, platform and notes of a layout; of `wires` how far the groups reach. A rank per device where
/// nothing can be folded. Where that would be and all devices pass through `batch` samples more often than
/// `most_passes`, exchanges of tp, cp and ep groups are left to the closed form (Moving), if that lets equals be
/// folded.
HybridPlatform folded_platform(const Cluster& cluster, const HybridOptions& options, Moving moving, std::int64_t batch,
                               std::uint64_t most_passes);

}  // namespace orrery
