// The one matrix product of the project. Every layer that multiplies matrices calls it, so a faster product is one
// change in one place.
#pragma once

#include <cstdint>
#include <string>

namespace orrery {

enum class Operand : std::uint8_t { plain, transposed };
enum class Update : std::uint8_t { overwrite, add };

/// op(left): rows x inner; op(right): inner x columns; result: rows x columns. A stride counts the numbers from one
/// column of a stored matrix to the next, for matrices that are rows of larger ones (the heads of attention); 0: no gap
/// (the stored matrix's rows).
struct Product {
  std::int64_t rows = 0, columns = 0, inner = 0;
  Operand left = Operand::plain, right = Operand::plain;
  Update update = Update::overwrite;
  std::int64_t left_stride = 0, right_stride = 0, result_stride = 0;
};

/// The strides with 0 replaced by what it stands for.
constexpr Product with_strides(Product product) {
  const bool left_plain = product.left == Operand::plain, right_plain = product.right == Operand::plain;
  if (product.left_stride == 0) product.left_stride = left_plain ? product.rows : product.inner;
  if (product.right_stride == 0) product.right_stride = right_plain ? product.inner : product.columns;
  if (product.result_stride == 0) product.result_stride = product.rows;
  return product;
}

/// result = op(left) op(right), or result += that. All matrices are column-major, float32, and may not overlap; a
/// result that is overwritten is not read. NaN and infinity go through. An empty inner size makes a product of zeros.
/// Serial, on any thread: callers parallelise over independent products. The bits depend on the shape, the backend and
/// its instruction set (see gemm_backend()), and on nothing else: neither on the number of threads nor on what ran
/// before.
/// Memory: nothing stays. oneDNN takes its work space from malloc and gives it back in each call (72 KiB, more where it
/// copies an operand): after the first step no page is new. Eigen has its on the stack, up to 3.3 MiB.
/// Speed: products of a transposed left matrix and fewer than about 32 columns run at half the speed of all others,
/// since nothing can be read as it lies: who needs several of one matrix transposes it once.
void gemm(const Product& product, const float* left, const float* right, float* result);

/// What multiplies, for records of where figures come from: "Eigen 3.4.0 (AVX512, FMA, ...)", or oneDNN's version and
/// instruction set and Eigen for small products.
std::string gemm_backend();

/// The vector instructions that the kernels were compiled for.
std::string simd_level();

}  // namespace orrery
