#include "models/kernels/attention_block.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/kernels/elementary.hpp"

namespace orrery {
namespace {

void take_higher(const float* __restrict score, std::int64_t count, float* __restrict highest) {
  // A NaN is not higher than anything, but its exponential will be NaN.
  for (std::int64_t q = 0; q < count; ++q) highest[q] = score[q] > highest[q] ? score[q] : highest[q];
}

void exponentiate(const float* __restrict highest, float scale, std::int64_t count, float* __restrict score,
                  float* __restrict sum) {
  for (std::int64_t q = 0; q < count; ++q) {
    score[q] = exponential(scale * (score[q] - highest[q]));
    sum[q] += score[q];
  }
}

}  // namespace

void mask(const ScoreBlock& block, float* scores) {
  for (std::int64_t key = 0; key < block.keys; ++key, scores += block.stride()) {
    if (block.masked) std::fill_n(scores, key, -std::numeric_limits<float>::infinity());
    std::fill(scores + block.queries, scores + block.stride(), 0.0F);
  }
}

void raise_highest(const ScoreBlock& block, const float* scores, SoftmaxRows& rows) {
  const RowNumbers before = rows.highest;
  for (std::int64_t key = 0; key < block.keys; ++key) {
    take_higher(scores + key * block.stride(), block.stride(), rows.highest.data());
  }
  for (std::size_t q = 0; q < static_cast<std::size_t>(block.stride()); ++q) {
    rows.factor[q] = exponential(block.scale * (before[q] - rows.highest[q]));
    rows.sum[q] *= rows.factor[q];
  }
}

void to_weights(const ScoreBlock& block, float* scores, SoftmaxRows& rows) {
  for (std::int64_t key = 0; key < block.keys; ++key) {
    exponentiate(rows.highest.data(), block.scale, block.stride(), scores + key * block.stride(), rows.sum.data());
  }
}

void finish(std::int64_t queries, float scale, SoftmaxRows& rows, float* log_sum) {
  for (std::int64_t q = 0; q < queries; ++q) {
    const auto row = static_cast<std::size_t>(q);
    log_sum[q] = scale * rows.highest[row] + std::log(rows.sum[row]);
    rows.factor[row] = 1 / rows.sum[row];
  }
}

void to_probabilities(const ScoreBlock& block, const RowNumbers& log_sum, float* scores) {
  const float* __restrict of = log_sum.data();
  const std::int64_t count = block.stride();
  for (std::int64_t key = 0; key < block.keys; ++key) {
    float* __restrict score = scores + key * count;
    for (std::int64_t q = 0; q < count; ++q) score[q] = exponential(block.scale * score[q] - of[q]);
  }
}

void to_score_gradient(const ScoreBlock& block, const float* probabilities, const RowNumbers& mean, float* gradient) {
  const float* __restrict of = mean.data();
  for (std::int64_t key = 0; key < block.keys; ++key) {
    const float* __restrict probability = probabilities + key * block.stride();
    float* __restrict slope = gradient + key * block.stride();
    for (std::int64_t q = 0; q < block.queries; ++q) slope[q] = block.scale * probability[q] * (slope[q] - of[q]);
  }
}

void scale_columns(const float* __restrict factor, std::int64_t rows, std::int64_t columns, std::int64_t stride,
                   float* __restrict matrix) {
  for (std::int64_t column = 0; column < columns; ++column, matrix += stride) {
    for (std::int64_t row = 0; row < rows; ++row) matrix[row] *= factor[column];
  }
}

void column_products(const float* __restrict left, const float* __restrict right, std::int64_t rows,
                     std::int64_t columns, std::int64_t stride, float* __restrict products) {
  for (std::int64_t column = 0; column < columns; ++column, left += stride, right += stride) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t row = 0; row < rows; ++row) sum += left[row] * right[row];
    products[column] = sum;
  }
}

}  // namespace orrery
