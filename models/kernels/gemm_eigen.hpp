// gemm() by Eigen: of every build, and of small products where a library's call costs more than it saves.
#pragma once

#include <string>

#include "models/kernels/gemm.hpp"

namespace orrery {

void eigen_gemm(const Product& product, const float* left, const float* right, float* result);
std::string eigen_version();  // "Eigen 3.4.0"

}  // namespace orrery
