// What attention does with one block of scores. Column-major, a row per query, a column per key: every loop runs down a
// column, over queries, and so without sums across a vector register.
#pragma once

#include <array>
#include <cstdint>

namespace orrery {

/// Queries and keys per block. Scores and probabilities of a block (16 KiB each) stay in the nearest cache.
inline constexpr std::int64_t attention_block = 64;

struct ScoreBlock {
  std::int64_t queries = 0, keys = 0;
  float scale = 1;      // of the scores
  bool masked = false;  // the block on the diagonal: the q-th query sees the first q + 1 keys

  /// Rows that a column of scores takes: the queries, filled up to whole vector registers (the widest hold 16 numbers).
  [[nodiscard]] std::int64_t stride() const { return (queries + 15) / 16 * 16; }
};

using RowNumbers = std::array<float, attention_block>;

/// The running softmax of each query.
struct SoftmaxRows {
  RowNumbers highest{};  // score so far
  RowNumbers sum{};      // of exp(scale (score - highest))
  RowNumbers factor{};   // what earlier sums must be multiplied by
};

/// Scores that the mask hides become -infinity; the rows that fill up a column become 0.
void mask(const ScoreBlock& block, float* scores);
/// Raises `highest` to the largest score of each query and multiplies `sum` by the factor that this makes of it.
void raise_highest(const ScoreBlock& block, const float* scores, SoftmaxRows& rows);
/// Scores become exp(scale (score - highest)) and are added to `sum`.
void to_weights(const ScoreBlock& block, float* scores, SoftmaxRows& rows);
/// log_sum = scale highest + log(sum); factor = 1 / sum.
void finish(std::int64_t queries, float scale, SoftmaxRows& rows, float* log_sum);
/// Scores become exp(scale score - log_sum).
void to_probabilities(const ScoreBlock& block, const RowNumbers& log_sum, float* scores);
/// gradient (of the probabilities) becomes the gradient of the scores: scale probability (gradient - mean), mean the
/// sum of probability times gradient over all keys.
void to_score_gradient(const ScoreBlock& block, const float* probabilities, const RowNumbers& mean, float* gradient);

/// Every column of `matrix` times its factor. stride: from one column to the next.
void scale_columns(const float* factor, std::int64_t rows, std::int64_t columns, std::int64_t stride, float* matrix);
/// The scalar product of every column of `left` with that of `right`.
void column_products(const float* left, const float* right, std::int64_t rows, std::int64_t columns,
                     std::int64_t stride, float* products);

}  // namespace orrery
