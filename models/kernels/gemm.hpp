// The one matrix product of the project. Every layer that multiplies matrices calls it, so a faster product is one
// change in one place.
#pragma once

#include <cstdint>
#include <string>

namespace orrery {

enum class Operand : std::uint8_t { plain, transposed };
enum class Update : std::uint8_t { overwrite, add };

/// op(left): rows x inner; op(right): inner x columns; result: rows x columns.
struct Product {
  std::int64_t rows = 0, columns = 0, inner = 0;
  Operand left = Operand::plain, right = Operand::plain;
  Update update = Update::overwrite;
};

/// result = op(left) op(right), or result += that. All matrices are dense and column-major, float32, and may not
/// overlap. Serial: callers parallelise over independent products. The bits depend on the shape and on the SIMD level
/// of the build, and on nothing else: neither on the number of threads nor on the caches of the machine.
void gemm(const Product& product, const float* left, const float* right, float* result);

/// The vector instructions that gemm() was compiled for.
std::string simd_level();

}  // namespace orrery
