// Values of a search that no layout has.
#pragma once

#include <string>
#include <vector>

#include "scenarios/search/search_space.hpp"

namespace orrery {

/// Values of the lists of `spec` that no layout of its `space` on so many devices has, each with why and the nearest
/// that can be: "tp 5: the cluster's 64 devices are no multiple of it - use 4 or 8".
std::vector<std::string> unusable_values(const SearchSpec& spec, std::int64_t devices,
                                         const std::vector<Layout>& space);

}  // namespace orrery
