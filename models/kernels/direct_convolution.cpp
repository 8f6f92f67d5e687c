// Built where oneDNN is not: see CMakeLists.txt, ORRERY_ONEDNN.
#include "models/kernels/direct_convolution.hpp"

namespace orrery {

std::unique_ptr<DirectConvolution> make_direct_convolution(const Layer& /*layer*/) {
  return nullptr;
}

}  // namespace orrery
