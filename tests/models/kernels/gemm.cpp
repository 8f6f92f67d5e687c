#include "models/kernels/gemm.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "models/kernels/parallel.hpp"
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
  const auto [rows, columns, inner] = GENERATE(table<int, int, int>({{1, 1, 1},
                                                                     {1, 9, 5},
                                                                     {9, 1, 5},
                                                                     {3, 5, 1},
                                                                     {17, 10, 33},
                                                                     {50, 49, 130},
                                                                     {40, 1, 900},
                                                                     {1100, 10, 1000},
                                                                     {1200, 540, 20},
                                                                     {300, 12, 9}}));
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
      // A sum of n float32 products of numbers below 1 is off by about 2^-24 n, and by at most n times that.
      CHECK(worst < 1e-5 * std::max(1.0, inner / 100.0));
    }
  }
}

// The forms and sizes that each backend treats in its own way.
const std::vector<Product> some_products{{.rows = 3, .columns = 4, .inner = 5},
                                         {.rows = 200, .columns = 10, .inner = 784},
                                         {.rows = 200, .columns = 784, .inner = 10, .right = Operand::transposed},
                                         {.rows = 784, .columns = 10, .inner = 200, .left = Operand::transposed},
                                         {.rows = 3000, .columns = 8, .inner = 400, .left = Operand::transposed},
                                         {.rows = 128, .columns = 128, .inner = 64, .left = Operand::transposed},
                                         {.rows = 520, .columns = 260, .inner = 600},
                                         {.rows = 300, .columns = 1, .inner = 500}};

TEST_CASE("matrices that are rows of larger ones are multiplied in place") {
  for (Product product : some_products) {
    Random random(2);
    const Product dense = with_strides(product);
    const std::int64_t gap = 7;
    product.left_stride = dense.left_stride + gap;
    product.right_stride = dense.right_stride + gap;
    product.result_stride = dense.result_stride + gap;
    const bool left_plain = product.left == Operand::plain, right_plain = product.right == Operand::plain;
    const auto left = random_numbers(product.left_stride * (left_plain ? product.inner : product.rows), random);
    const auto right = random_numbers(product.right_stride * (right_plain ? product.columns : product.inner), random);
    constexpr float untouched = 12345.0F;
    std::vector<float> result(static_cast<std::size_t>(product.result_stride * product.columns), untouched);
    gemm(product, left.data(), right.data(), result.data());
    double worst = 0;
    bool gaps_untouched = true;
    for (std::int64_t column = 0; column < product.columns; ++column) {
      for (std::int64_t row = 0; row < product.result_stride; ++row) {
        const float found = result[static_cast<std::size_t>(column * product.result_stride + row)];
        if (row >= product.rows) {
          gaps_untouched = gaps_untouched && found == untouched;
          continue;
        }
        double sum = 0;
        for (std::int64_t k = 0; k < product.inner; ++k) {
          const auto a = left_plain ? k * product.left_stride + row : row * product.left_stride + k;
          const auto b = right_plain ? column * product.right_stride + k : k * product.right_stride + column;
          sum += static_cast<double>(left[static_cast<std::size_t>(a)]) * right[static_cast<std::size_t>(b)];
        }
        worst = std::max(worst, std::abs(found - sum));
      }
    }
    INFO(product.rows << " x " << product.columns << " x " << product.inner);
    CHECK(worst < 1e-4);
    CHECK(gaps_untouched);
  }
}

TEST_CASE("a product of an empty inner size is zero, or adds nothing") {
  std::vector<float> result{1, 2, 3, 4};
  gemm({.rows = 2, .columns = 2, .inner = 0, .update = Update::add}, nullptr, nullptr, result.data());
  CHECK(result == std::vector<float>{1, 2, 3, 4});
  gemm({.rows = 2, .columns = 2, .inner = 0}, nullptr, nullptr, result.data());
  CHECK(result == std::vector<float>{0, 0, 0, 0});
}

TEST_CASE("what is not a number goes through a product, and an overwritten result is not read") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const Product& product : some_products) {
    INFO(product.rows << " x " << product.columns << " x " << product.inner);
    std::vector<float> left(static_cast<std::size_t>(product.rows * product.inner), 1.0F),
        right(static_cast<std::size_t>(product.inner * product.columns), 1.0F),
        result(static_cast<std::size_t>(product.rows * product.columns), nan);
    gemm(product, left.data(), right.data(), result.data());
    CHECK(std::all_of(result.begin(), result.end(),
                      [&](float number) { return number == static_cast<float>(product.inner); }));
    // The first number of the right matrix meets the first column of the result in either form; 0 times it is NaN.
    right[0] = nan;
    std::fill(left.begin(), left.end(), 0.0F);
    gemm(product, left.data(), right.data(), result.data());
    const auto first_column = result.begin() + product.rows;
    CHECK(std::all_of(result.begin(), first_column, [](float number) { return std::isnan(number); }));
    CHECK(std::all_of(first_column, result.end(), [](float number) { return number == 0.0F; }));
    right[0] = infinity;
    std::fill(left.begin(), left.end(), 1.0F);
    gemm(product, left.data(), right.data(), result.data());
    CHECK(std::all_of(result.begin(), first_column, [](float number) { return number == infinity; }));
  }
}

TEST_CASE("the bits of a product do not depend on threads, on tasks or on what ran before") {
  for (const Product& product : some_products) {
    Random random(3);
    const auto left = random_numbers(product.rows * product.inner, random),
               right = random_numbers(product.inner * product.columns, random);
    const auto size = static_cast<std::size_t>(product.rows * product.columns);
    std::vector<float> outside(size), repeated(size);
    gemm(product, left.data(), right.data(), outside.data());
    std::array<std::vector<float>, 4> inside;
    for (const std::size_t workers : {std::size_t{1}, std::size_t{2}}) {
      for_each_task(inside.size(), workers, [&](std::size_t task, std::size_t) {
        inside[task].assign(size, 0.0F);
        gemm(product, left.data(), right.data(), inside[task].data());
      });
      INFO(product.rows << " x " << product.columns << " x " << product.inner << ", workers " << workers);
      for (const auto& result : inside) CHECK((result == outside));
    }
    gemm(product, left.data(), right.data(), repeated.data());
    CHECK((repeated == outside));
  }
}

TEST_CASE("the backend of products names its library, version and instructions") {
  const std::string backend = gemm_backend();
  CHECK(backend.find("Eigen 3.") != std::string::npos);
  CHECK(backend.find("(" + simd_level() + ")") != std::string::npos);
}

}  // namespace
}  // namespace orrery
