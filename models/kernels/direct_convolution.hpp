// The seam for a library that convolves images as they lie, without a matrix of patches.
#pragma once

#include <cstdint>
#include <memory>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

/// The passes of one convolution without groups, under the promises of LayerKernel (Update included). Serves all
/// threads. Bits depend on shape, samples, library and instruction set alone.
class DirectConvolution {
 public:
  virtual ~DirectConvolution() = default;
  [[nodiscard]] virtual std::int64_t scratch_count(std::int64_t samples) const = 0;
  virtual void forward(const ForwardData& data) const = 0;
  virtual void input_gradient(const BackwardData& data) const = 0;
  virtual void parameter_gradient(const BackwardData& data) const = 0;
};

/// Null where the build has no such library: see CMakeLists.txt, ORRERY_ONEDNN.
std::unique_ptr<DirectConvolution> make_direct_convolution(const Layer& layer);

}  // namespace orrery
