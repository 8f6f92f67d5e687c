// What a network calls while it is profiled.
#pragma once

#include <cstddef>
#include <functional>

#include "models/cost/layer_cost.hpp"

namespace orrery {

/// Called after each layer's pass, on the thread that ran it: its number, the layer's index, pass, seconds.
using WorkerTimer = std::function<void(std::size_t worker, std::size_t layer, Pass pass, double seconds)>;

}  // namespace orrery
