// How large networks of files may be, so that counts of their numbers fit into 64 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/networks/layer_graph.hpp"
#include "models/networks/layer_shapes.hpp"

namespace orrery {

// Assumed: each is larger than any network's, and the product of two sizes is a whole number of 64 bits. The largest
// networks, recommenders of 1.2e13 parameters (Mudigere et al., ISCA 2022), have many tables.
inline constexpr double largest_size = 1e9;   // of a dimension and of a number in a file
inline constexpr double most_rows = 1e12;     // of an embedding table, which are only added up
inline constexpr double most_places = 1e4;    // of a block, one after the other, as of a config.json's blocks
inline constexpr double most_numbers = 1e14;  // of a sample's output of a layer; of all parameters

/// Whether a dimension is above largest_size, or the whole above most_numbers.
bool is_too_large(const Shape& shape);
/// The limits as the reason of a problem.
std::string most_numbers_text();
/// What a layer gives and holds against the limits; `before`: parameters of the layers before it.
std::optional<Misfit> check_size(const Layer& layer, std::int64_t before);

}  // namespace orrery
