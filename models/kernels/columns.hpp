// Small loops over numbers and column-major matrices that several layers share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "models/kernels/gemm.hpp"

namespace orrery {

/// Every column of `matrix` (rows x columns) becomes `column`, or 0 when that is null.
inline void fill_columns(const float* column, std::int64_t rows, std::int64_t columns, float* matrix) {
  for (std::int64_t j = 0; j < columns; ++j, matrix += rows) {
    if (column != nullptr) {
      std::copy_n(column, rows, matrix);
    } else {
      std::fill_n(matrix, rows, 0.0F);
    }
  }
}

/// sum += the columns of `matrix`, first to last.
inline void add_columns(const float* __restrict matrix, std::int64_t rows, std::int64_t columns,
                        float* __restrict sum) {
  std::int64_t j = 0;
  for (; j + 4 <= columns; j += 4, matrix += 4 * rows) {  // four at once: a quarter of the loads and stores of sum
    const float *second = matrix + rows, *third = second + rows, *fourth = third + rows;
    for (std::int64_t i = 0; i < rows; ++i) sum[i] = (((sum[i] + matrix[i]) + second[i]) + third[i]) + fourth[i];
  }
  for (; j < columns; ++j, matrix += rows) {
    for (std::int64_t i = 0; i < rows; ++i) sum[i] += matrix[i];
  }
}

/// A gradient that goes through a layer unchanged. `to`: empty (nobody needs it), the same memory (then it is there
/// already), or apart.
inline void pass_on(std::span<const float> gradient, Update update, std::span<float> to) {
  if (to.empty() || to.data() == gradient.data()) return;
  if (update == Update::overwrite) {
    std::copy(gradient.begin(), gradient.end(), to.begin());
  } else {
    add_columns(gradient.data(), static_cast<std::int64_t>(gradient.size()), 1, to.data());
  }
}

}  // namespace orrery
