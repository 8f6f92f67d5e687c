// Built instead of gemm.cpp where oneDNN is found: see CMakeLists.txt, ORRERY_ONEDNN.
#include <dnnl.h>
#include <fmt/format.h>

#include <stdexcept>

#include "models/kernels/gemm.hpp"
#include "models/kernels/gemm_eigen.hpp"
#include "models/kernels/one_thread.hpp"

namespace orrery {
namespace {

// Measured on AVX-512 against oneDNN 2.6.3 (matrix_product in tests/benchmarks): a call costs 0.3 us, which products
// up to here do not earn back.
constexpr std::int64_t small_product = 16'000;
// A transposed left matrix under few columns is copied for one use each: Eigen is up to 1.9 times faster when it is
// larger than the caches, or a sliver.
constexpr std::int64_t few_columns = 16, sliver = 16, large_matrix = 1'000'000;

bool eigen_wins(const Product& product) {
  const auto& [rows, columns, inner, left, right, update, left_stride, right_stride, result_stride] = product;
  if (rows * columns * inner < small_product) return true;
  const bool copied = left == Operand::transposed && right == Operand::plain && columns <= few_columns;
  return copied && columns > 1 && (inner <= sliver || rows * inner > large_matrix);
}

char letter(Operand form) {
  return form == Operand::plain ? 'N' : 'T';
}

std::string instruction_set() {
  const auto has = [isa = dnnl_get_effective_cpu_isa()](dnnl_cpu_isa_t level) { return (isa & level) == level; };
  if (has(dnnl_cpu_isa_avx512_core)) return "AVX512";
  if (has(dnnl_cpu_isa_avx2)) return "AVX2";
  return has(dnnl_cpu_isa_sse41) ? "SSE4.1" : "portable";
}

}  // namespace

void gemm(const Product& product, const float* left, const float* right, float* result) {
  if (eigen_wins(product)) return eigen_gemm(product, left, right, result);
  const Product p = with_strides(product);
  const OneThread guard;
  // oneDNN's matrices are row-major: it sees the transposes, and the transpose of a product is the product of the
  // transposes in the other order.
  const dnnl_status_t status =
      dnnl_sgemm(letter(p.right), letter(p.left), p.columns, p.rows, p.inner, 1.0F, right, p.right_stride, left,
                 p.left_stride, p.update == Update::add ? 1.0F : 0.0F, result, p.result_stride);
  if (status != dnnl_success) {
    throw std::runtime_error(fmt::format("oneDNN: product of {} x {} and {} x {} failed (status {}) - is memory short?",
                                         p.rows, p.inner, p.inner, p.columns, static_cast<int>(status)));
  }
}

std::string gemm_backend() {
  const dnnl_version_t& version = *dnnl_version();
  return fmt::format("oneDNN {}.{}.{} ({}), small products {} ({})", version.major, version.minor, version.patch,
                     instruction_set(), eigen_version(), simd_level());
}

}  // namespace orrery
