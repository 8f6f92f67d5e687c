// The constructors behind the table in layer_kernel.cpp, one per layer file.
#pragma once

#include <memory>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

/// output = W input + b; W: out x in, column-major.
std::unique_ptr<LayerKernel> make_dense(const Layer& layer);
/// Cross-correlation with zero padding; W: out channels x (kernel row, kernel column, in channel), column-major.
std::unique_ptr<LayerKernel> make_convolution(const Layer& layer);
/// Largest value of each window, channel by channel; windows are cut at the border. Ties go to the first.
std::unique_ptr<LayerKernel> make_max_pool(const Layer& layer);
/// Mean of each window, channel by channel; no padding.
std::unique_ptr<LayerKernel> make_average_pool(const Layer& layer);
/// Mean of the whole image, channel by channel.
std::unique_ptr<LayerKernel> make_global_average_pool(const Layer& layer);
std::unique_ptr<LayerKernel> make_relu(const Layer& layer);     // max(x, 0); slope 0 at 0
std::unique_ptr<LayerKernel> make_tanh(const Layer& layer);     // tanh(x)
std::unique_ptr<LayerKernel> make_sigmoid(const Layer& layer);  // 1 / (1 + exp(-x))
/// The same numbers as one vector.
std::unique_ptr<LayerKernel> make_flatten(const Layer& layer);

}  // namespace orrery
