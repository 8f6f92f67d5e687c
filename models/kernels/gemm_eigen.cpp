#include "models/kernels/gemm_eigen.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <cstdint>

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

// Eigen packs whole columns of the left matrix, however long, into memory that it asks for when the stack (as much of
// it as CMakeLists.txt allows) does not hold them. Tiles of the result bound both packed operands. Eigen cuts the sums
// at 680 (SSE), 400 (AVX), 288 (AVX2) or 624 (AVX-512) at the most, so that they are together at most (163 + 115) x 680
// numbers, 738 KiB: threads may have 2 MiB. 144 rows and 96 columns are whole registers at every instruction set, and
// what is left over joins the tile before where Eigen would multiply it in another way (a vector, or rows + columns +
// inner < 20), so that no bit depends on the tiles. They are up to 13 % slower than tiles of 1152 x 528 on large
// products; those of 512 KiB, 96 x 72, up to 20 % (AVX-512, measured).
constexpr std::int64_t tile_rows = 144, tile_columns = 96, least_rest = 20;

std::int64_t next_tile(std::int64_t left_over, std::int64_t tile) {
  return left_over < tile + least_rest ? left_over : tile;
}

void add_product(const Product& p, const float* left, const float* right, Result to) {
  const bool left_plain = p.left == Operand::plain, right_plain = p.right == Operand::plain;
  const Factor a(left, left_plain ? to.rows() : p.inner, left_plain ? p.inner : to.rows(), Stride(p.left_stride));
  const Factor b(right, right_plain ? p.inner : to.cols(), right_plain ? to.cols() : p.inner, Stride(p.right_stride));
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

}  // namespace

void eigen_gemm(const Product& product, const float* left, const float* right, float* result) {
  fix_cache_sizes();
  const Product p = with_strides(product);
  const std::int64_t next_row = p.left == Operand::plain ? 1 : p.left_stride;
  const std::int64_t next_column = p.right == Operand::plain ? p.right_stride : 1;
  for (std::int64_t column = 0, columns = 0; column < p.columns; column += columns) {
    columns = next_tile(p.columns - column, tile_columns);
    for (std::int64_t row = 0, rows = 0; row < p.rows; row += rows) {
      rows = next_tile(p.rows - row, tile_rows);
      Result to(result + column * p.result_stride + row, rows, columns, Stride(p.result_stride));
      if (p.update == Update::overwrite) to.setZero();
      add_product(p, left + row * next_row, right + column * next_column, to);
    }
  }
}

std::string eigen_version() {
  return fmt::format("Eigen {}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
}

std::string simd_level() {
  return Eigen::SimdInstructionSetsInUse();
}

}  // namespace orrery
