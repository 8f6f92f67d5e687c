#include "models/kernels/gemm.hpp"

#include <cmath>
#include <tuple>
#include <vector>

#include "sim/base/random.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::vector<float> random_numbers(std::int64_t count, Random& random) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (float& number : numbers) number = static_cast<float>(random.uniform(-1.0, 1.0));
  return numbers;
}

float element(const std::vector<float>& matrix, Operand form, std::int64_t rows, std::int64_t columns, std::int64_t row,
              std::int64_t column) {
  const std::int64_t place = form == Operand::plain ? column * rows + row : row * columns + column;
  return matrix[static_cast<std::size_t>(place)];
}

double expected(const Product& product, const std::vector<float>& left, const std::vector<float>& right,
                std::int64_t row, std::int64_t column) {
  double sum = 0;
  for (std::int64_t k = 0; k < product.inner; ++k) {
    sum += static_cast<double>(element(left, product.left, product.rows, product.inner, row, k)) *
           element(right, product.right, product.inner, product.columns, k, column);
  }
  return sum;
}

TEST_CASE("a product of small matrices has the textbook value") {
  // (1 3; 2 4) (5 7; 6 8), column-major.
  const std::vector<float> left{1, 2, 3, 4}, right{5, 6, 7, 8};
  std::vector<float> result(4, 100.0F);
  gemm({.rows = 2, .columns = 2, .inner = 2}, left.data(), right.data(), result.data());
  CHECK(result == std::vector<float>{23, 34, 31, 46});
  gemm({.rows = 2, .columns = 2, .inner = 2, .left = Operand::transposed, .update = Update::add}, left.data(),
       right.data(), result.data());
  CHECK(result == std::vector<float>{23 + 17, 34 + 39, 31 + 23, 46 + 53});
}

TEST_CASE("products of all shapes and forms agree with sums in double") {
  const auto [rows, columns, inner] =
      GENERATE(table<int, int, int>({{1, 1, 1}, {1, 9, 5}, {9, 1, 5}, {3, 5, 1}, {17, 10, 33}, {50, 49, 130}}));
  for (const Operand left_form : {Operand::plain, Operand::transposed}) {
    for (const Operand right_form : {Operand::plain, Operand::transposed}) {
      Random random(1);
      const Product product{.rows = rows, .columns = columns, .inner = inner, .left = left_form, .right = right_form};
      const auto left = random_numbers(std::int64_t{rows} * inner, random),
                 right = random_numbers(std::int64_t{inner} * columns, random);
      std::vector<float> result(static_cast<std::size_t>(rows * columns));
      gemm(product, left.data(), right.data(), result.data());
      double worst = 0;
      for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
          const double found = result[static_cast<std::size_t>(column * rows + row)];
          worst = std::max(worst, std::abs(found - expected(product, left, right, row, column)));
        }
      }
      // A sum of n float32 products of numbers below 1 is off by at most about n x 2^-24 x n; measured far less.
      CHECK(worst < 1e-5);
    }
  }
}

}  // namespace
}  // namespace orrery
