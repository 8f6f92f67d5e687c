// Shapes of attention: what its heads need side by side.
#pragma once

#include <optional>

#include "models/networks/layer_shapes.hpp"

namespace orrery {

/// Queries, keys and values side by side: heads x head_size + kv_heads x (head_size - shared_size) + shared_size +
/// kv_heads x value_size channels, or, without a head_size, a multiple of heads + 2 kv_heads. Gives heads x value_size.
std::optional<Misfit> attend(Layer& layer);

/// Queries come from the input; keys and values from the second operand, which take_keys_and_values() checks.
std::optional<Misfit> attend_across(Layer& layer);

/// Whether `second` gives kv_heads keys and values side by side; its tokens become the layer's key_tokens.
std::optional<Misfit> take_keys_and_values(Layer& layer, const Layer& second);

}  // namespace orrery
