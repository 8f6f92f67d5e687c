// Reached through make_convolution().
#pragma once

#include <memory>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

/// A convolution with one group per channel and as many output as input channels: too little arithmetic per channel
/// for a matrix product.
std::unique_ptr<LayerKernel> make_depthwise_convolution(const Layer& layer);

}  // namespace orrery
