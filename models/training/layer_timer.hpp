// What a network calls while it is profiled.
#pragma once

#include <cstddef>
#include <functional>

#include "models/cost/layer_cost.hpp"

namespace orrery {

/// Called after each layer's pass: layer index, pass, seconds.
using LayerTimer = std::function<void(std::size_t layer, Pass pass, double seconds)>;
/// The same from the threads of a batch, each with its number.
using WorkerTimer = std::function<void(std::size_t worker, std::size_t layer, Pass pass, double seconds)>;

}  // namespace orrery
