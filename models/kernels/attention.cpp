#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "models/kernels/attention_block.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// FlashAttention-2 (T. Dao 2023): scores are made block by block and never kept, a running maximum and sum per query
// make their softmax right, and the backward pass makes the probabilities again from the logarithm of that sum.
// softmax(scale q k^T) of query q over the keys k, scale = 1 / sqrt(head size) (Vaswani et al. 2017).

/// The rows of one head in matrices of all heads.
template <class Number>
struct Head {
  Number *query = nullptr, *key = nullptr, *value = nullptr;
};

class Attention final : public LayerKernel {
 public:
  explicit Attention(const Layer& layer)
      : heads_(layer.heads),
        kv_heads_(layer.kv_heads),
        tokens_(layer.in.height),
        in_(layer.in.channels),
        out_(layer.out.channels),
        size_(layer.out.channels / layer.heads),
        scale_(1 / std::sqrt(static_cast<float>(size_))),
        causal_(layer.causal) {
    ORRERY_EXPECT(out_ == heads_ * size_ && in_ == (heads_ + 2 * kv_heads_) * size_);
    ORRERY_EXPECT(heads_ % kv_heads_ == 0);
    ORRERY_EXPECT(layer.in.width == 1 && layer.out.width == 1 && layer.out.height == tokens_);
  }

  [[nodiscard]] bool backward_reads_output() const override { return true; }
  /// Per head and token, the logarithm of the sum of exp(scale score).
  [[nodiscard]] std::int64_t kept_count() const override { return heads_ * tokens_; }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t /*samples*/) const override {
    return 2 * attention_block * attention_block;
  }

  void forward(const ForwardData& data) const override {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      for (std::int64_t head = 0; head < heads_; ++head) {
        const auto from = head_of(data.input.data() + sample * tokens_ * in_, head);
        float* output = data.output.data() + sample * tokens_ * out_ + head * size_;
        float* kept = data.kept.data() + (sample * heads_ + head) * tokens_;
        for (std::int64_t query = 0; query < tokens_; query += attention_block) {
          attend(from, query, data.scratch.data(), output, kept);
        }
      }
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      for (std::int64_t head = 0; head < heads_; ++head) {
        const auto from = head_of(data.input.data() + sample * tokens_ * in_, head);
        const auto to = head_of(data.input_gradient.data() + sample * tokens_ * in_, head);
        const std::int64_t at = sample * tokens_ * out_ + head * size_;
        const float* kept = data.kept.data() + (sample * heads_ + head) * tokens_;
        for (std::int64_t query = 0; query < tokens_; query += attention_block) {
          add_gradients(from, query, data.output.data() + at, data.output_gradient.data() + at, kept,
                        data.scratch.data(), to);
        }
      }
    }
  }

 private:
  template <class Number>
  [[nodiscard]] Head<Number> head_of(Number* token, std::int64_t head) const {
    const std::int64_t shared = head / (heads_ / kv_heads_);
    return {token + head * size_, token + (heads_ + shared) * size_, token + (heads_ + kv_heads_ + shared) * size_};
  }

  [[nodiscard]] std::int64_t rest(std::int64_t first) const { return std::min(attention_block, tokens_ - first); }
  // Key blocks end here for the block of queries from `query` on: later ones are masked.
  [[nodiscard]] std::int64_t end_of_keys(std::int64_t query) const { return causal_ ? query + rest(query) : tokens_; }
  [[nodiscard]] ScoreBlock score_block(std::int64_t query, std::int64_t key) const {
    return {.queries = rest(query), .keys = rest(key), .scale = scale_, .masked = causal_ && query == key};
  }
  // queries x keys = left^T right, for two matrices of `size` rows inside larger ones.
  void multiply(const ScoreBlock& block, const float* left, std::int64_t left_stride, const float* right,
                float* result) const {
    gemm({.rows = block.queries,
          .columns = block.keys,
          .inner = size_,
          .left = Operand::transposed,
          .left_stride = left_stride,
          .right_stride = in_,
          .result_stride = block.stride()},
         left, right, result);
  }

  // One block of queries against all keys they see.
  void attend(const Head<const float>& from, std::int64_t query, float* scores, float* output, float* kept) const {
    SoftmaxRows rows;
    rows.highest.fill(-std::numeric_limits<float>::infinity());
    float* to = output + query * out_;
    for (std::int64_t key = 0; key < end_of_keys(query); key += attention_block) {
      const ScoreBlock block = score_block(query, key);
      multiply(block, from.query + query * in_, in_, from.key + key * in_, scores);
      mask(block, scores);
      raise_highest(block, scores, rows);
      if (key > 0) scale_columns(rows.factor.data(), size_, block.queries, out_, to);
      to_weights(block, scores, rows);
      gemm({.rows = size_,
            .columns = block.queries,
            .inner = block.keys,
            .right = Operand::transposed,
            .update = key > 0 ? Update::add : Update::overwrite,
            .left_stride = in_,
            .right_stride = block.stride(),
            .result_stride = out_},
           from.value + key * in_, scores, to);
    }
    finish(rest(query), scale_, rows, kept + query);
    scale_columns(rows.factor.data(), size_, rest(query), out_, to);
  }

  void add_gradients(const Head<const float>& from, std::int64_t query, const float* output,
                     const float* output_gradient, const float* kept, float* scratch, const Head<float>& to) const {
    float *weights = scratch, *gradient = scratch + attention_block * attention_block;
    const float* slope = output_gradient + query * out_;
    RowNumbers means{}, log_sums{};
    column_products(output + query * out_, slope, size_, rest(query), out_, means.data());
    std::copy_n(kept + query, rest(query), log_sums.data());
    for (std::int64_t key = 0; key < end_of_keys(query); key += attention_block) {
      const ScoreBlock block = score_block(query, key);
      multiply(block, from.query + query * in_, in_, from.key + key * in_, weights);
      mask(block, weights);
      to_probabilities(block, log_sums, weights);
      multiply(block, slope, out_, from.value + key * in_, gradient);
      to_score_gradient(block, weights, means, gradient);
      add_to_keys(block, slope, out_, weights, to.value + key * in_);
      add_to_keys(block, from.query + query * in_, in_, gradient, to.key + key * in_);
      add_to_queries(block, from.key + key * in_, gradient, to.query + query * in_);
    }
  }

  // The gradients of a block's keys or values, size x keys, += queries (size x queries) times weights.
  void add_to_keys(const ScoreBlock& block, const float* queries, std::int64_t query_stride, const float* weights,
                   float* keys) const {
    gemm({.rows = size_,
          .columns = block.keys,
          .inner = block.queries,
          .update = Update::add,
          .left_stride = query_stride,
          .right_stride = block.stride(),
          .result_stride = in_},
         queries, weights, keys);
  }

  // The gradients of a block's queries, size x queries, += keys (size x keys) times weights^T.
  void add_to_queries(const ScoreBlock& block, const float* keys, const float* weights, float* queries) const {
    gemm({.rows = size_,
          .columns = block.queries,
          .inner = block.keys,
          .right = Operand::transposed,
          .update = Update::add,
          .left_stride = in_,
          .right_stride = block.stride(),
          .result_stride = in_},
         keys, weights, queries);
  }

  std::int64_t heads_, kv_heads_, tokens_, in_, out_, size_;
  float scale_;
  bool causal_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_attention(const Layer& layer) {
  return std::make_unique<Attention>(layer);
}

}  // namespace orrery
