// Layers named by patterns, and freezing them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// `*` stands for any run of letters, none included; every other letter for itself.
bool matches(std::string_view pattern, std::string_view name);

/// Layers whose name matches, in order.
std::vector<std::size_t> layers_matching(const LayerGraph& graph, std::string_view pattern);

/// Freezes the layers with weights of their own whose names match; tied layers follow their embedding. Returns how many
/// it found.
std::size_t freeze(LayerGraph& graph, std::string_view pattern);

}  // namespace orrery
