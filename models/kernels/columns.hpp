// Small loops over column-major matrices that several layers share.
#pragma once

#include <algorithm>
#include <cstdint>

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
  for (std::int64_t j = 0; j < columns; ++j, matrix += rows) {
    for (std::int64_t i = 0; i < rows; ++i) sum[i] += matrix[i];
  }
}

}  // namespace orrery
