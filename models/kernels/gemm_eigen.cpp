#include "models/kernels/gemm_eigen.hpp"

#include <fmt/format.h>

#include <Eigen/Core>

namespace orrery {
namespace {

using Stride = Eigen::OuterStride<>;
using Result = Eigen::Map<Eigen::MatrixXf, Eigen::Unaligned, Stride>;
using Factor = Eigen::Map<const Eigen::MatrixXf, Eigen::Unaligned, Stride>;

// Eigen cuts its products by the cache sizes it finds at run time, and each cut adds in another order. Constants make
// the order part of the program: L1 and L2 of one core of common servers, and a share of their L3.
constexpr std::ptrdiff_t first_cache = std::ptrdiff_t{32} * 1024, second_cache = std::ptrdiff_t{1024} * 1024,
                         third_cache = std::ptrdiff_t{4} * 1024 * 1024;

void fix_cache_sizes() {
  static const bool fixed = [] {
    Eigen::setCpuCacheSizes(first_cache, second_cache, third_cache);
    return true;
  }();
  static_cast<void>(fixed);
}

}  // namespace

void eigen_gemm(const Product& product, const float* left, const float* right, float* result) {
  fix_cache_sizes();
  const auto [rows, columns, inner, left_form, right_form, update, left_stride, right_stride, result_stride] =
      with_strides(product);
  Result to(result, rows, columns, Stride(result_stride));
  if (update == Update::overwrite) to.setZero();
  const bool left_plain = left_form == Operand::plain, right_plain = right_form == Operand::plain;
  const Factor a(left, left_plain ? rows : inner, left_plain ? inner : rows, Stride(left_stride));
  const Factor b(right, right_plain ? inner : columns, right_plain ? columns : inner, Stride(right_stride));
  if (left_plain && right_plain) {
    to.noalias() += a * b;
  } else if (left_plain) {
    to.noalias() += a * b.transpose();
  } else if (right_plain) {
    to.noalias() += a.transpose() * b;
  } else {
    to.noalias() += a.transpose() * b.transpose();
  }
}

std::string eigen_version() {
  return fmt::format("Eigen {}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
}

std::string simd_level() {
  return Eigen::SimdInstructionSetsInUse();
}

}  // namespace orrery
