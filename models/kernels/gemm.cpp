// Built where oneDNN is not: see CMakeLists.txt, ORRERY_ONEDNN.
#include "models/kernels/gemm.hpp"

#include <fmt/format.h>

#include "models/kernels/gemm_eigen.hpp"

namespace orrery {

void gemm(const Product& product, const float* left, const float* right, float* result) {
  eigen_gemm(product, left, right, result);
}

std::string gemm_backend() {
  return fmt::format("{} ({})", eigen_version(), simd_level());
}

}  // namespace orrery
