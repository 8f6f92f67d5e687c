// Shapes of the layers that look up vectors and join them.
#pragma once

#include <cstdint>
#include <optional>

#include "models/networks/layer_shapes.hpp"

namespace orrery {

/// embedding_tables: 1x1xN row numbers, one for each of N tables, become N vectors, Nx1xunits.
std::optional<Misfit> look_up(Layer& layer, std::int64_t units);
/// add_vector: the second operand is 1x1xC, C the channels of the input.
std::optional<Misfit> check_vector(const Layer& layer, const Layer& second);
/// dot_interaction: the input is 1x1xd, the second operand Nx1xd; the output 1x1x(d + N (N + 1) / 2).
std::optional<Misfit> interact(Layer& layer, const Layer& second);

}  // namespace orrery
