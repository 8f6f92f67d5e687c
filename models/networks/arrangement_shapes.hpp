// Shapes of the layers that put numbers in another arrangement, or take some of them.
#pragma once

#include <cstdint>
#include <optional>

#include "models/networks/layer_shapes.hpp"

namespace orrery {

/// tokens_to_pixels: T tokens, row after row, are a square image of sqrt(T) x sqrt(T) pixels.
std::optional<Misfit> make_pixels(Layer& layer);
/// reshape: the same numbers as `out.height` x `out.width`, channels being what is left.
std::optional<Misfit> reshape(Layer& layer);
/// slice: `channels` of the channels of every position, from `first_channel` on.
std::optional<Misfit> take_channels(Layer& layer, std::int64_t channels);

}  // namespace orrery
