// Convolutions whose channels are cut in groups that do not see each other. Reached through make_convolution().
#pragma once

#include <memory>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

/// Any number of groups: one convolution after the other, on copies of the group's channels.
std::unique_ptr<LayerKernel> make_grouped_convolution(const Layer& layer);

/// One group per channel: too little arithmetic for a matrix product.
std::unique_ptr<LayerKernel> make_depthwise_convolution(const Layer& layer);

}  // namespace orrery
