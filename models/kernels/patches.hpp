// im2col and its transpose: the windows of one image as the columns of a matrix, so that convolution is a product.
#pragma once

#include <cstdint>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Numbers in one window of one group: kernel x kernel x (in channels / groups).
std::int64_t patch_size(const Layer& layer);

/// patches: patch_size x (out.height x out.width). A column holds the window of one output pixel, in the order kernel
/// row, kernel column, channel of the group; 0 outside the image.
void image_to_patches(const Layer& layer, std::int64_t group, const float* image, float* patches);

/// image += every number of `patches` at the place image_to_patches() read it from.
void add_patches_to_image(const Layer& layer, std::int64_t group, const float* patches, float* image);

}  // namespace orrery
