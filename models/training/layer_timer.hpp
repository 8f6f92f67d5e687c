// What a network calls while it is profiled.
#pragma once

#include <cstddef>
#include <functional>

#include "models/cost/layer_cost.hpp"

namespace orrery {

/// Called after each layer's pass: layer index, pass, seconds.
using LayerTimer = std::function<void(std::size_t, Pass, double)>;

}  // namespace orrery
