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

/// Queries, keys and values side by side in the input (attention), or queries in the input, keys and values side by
/// side in the second operand (cross attention).
class Attention final : public LayerKernel {
 public:
  explicit Attention(const Layer& layer)
      : is_across_(layer.kind == LayerKind::cross_attention),
        causal_(layer.causal),
        heads_(layer.heads),
        kv_heads_(layer.kv_heads),
        queries_(layer.in.height),
        keys_(key_tokens(layer)),
        size_(head_size(layer)),
        value_size_(value_size(layer)),
        in_(layer.in.channels),
        memory_(is_across_ ? kv_heads_ * (size_ + value_size_) : in_),
        out_(layer.out.channels),
        scale_(1 / std::sqrt(static_cast<float>(size_))) {
    const std::int64_t beside = is_across_ ? 0 : kv_heads_ * (size_ + value_size_);
    ORRERY_EXPECT(out_ == heads_ * value_size_ && in_ == heads_ * size_ + beside);
    ORRERY_EXPECT(heads_ % kv_heads_ == 0 && (is_across_ || keys_ == queries_));
    ORRERY_EXPECT(layer.in.width == 1 && layer.out.width == 1 && layer.out.height == queries_);
  }

  [[nodiscard]] bool backward_reads_output() const override { return true; }
  /// Per head and query, the logarithm of the sum of exp(scale score).
  [[nodiscard]] std::int64_t kept_count() const override { return heads_ * queries_; }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t /*samples*/) const override {
    return 2 * attention_block * attention_block;
  }

  void forward(const ForwardData& data) const override {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      for (std::int64_t head = 0; head < heads_; ++head) {
        const auto from = head_of(data.input, data.second, sample, head);
        float* output = data.output.data() + sample * queries_ * out_ + head * value_size_;
        float* kept = data.kept.data() + (sample * heads_ + head) * queries_;
        for (std::int64_t query = 0; query < queries_; query += attention_block) {
          attend(from, query, data.scratch.data(), output, kept);
        }
      }
    }
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty() && data.second_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    }
    if (data.second_update == Update::overwrite) {
      std::fill(data.second_gradient.begin(), data.second_gradient.end(), 0.0F);
    }
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      for (std::int64_t head = 0; head < heads_; ++head) {
        const auto from = head_of(data.input, data.second, sample, head);
        const auto to = head_of(data.input_gradient, data.second_gradient, sample, head);
        const std::int64_t at = sample * queries_ * out_ + head * value_size_;
        const float* kept = data.kept.data() + (sample * heads_ + head) * queries_;
        for (std::int64_t query = 0; query < queries_; query += attention_block) {
          add_gradients(from, query, data.output.data() + at, data.output_gradient.data() + at, kept,
                        data.scratch.data(), to);
        }
      }
    }
  }

 private:
  /// Null where nobody needs it (gradients).
  template <class Number>
  [[nodiscard]] Head<Number> head_of(std::span<Number> input, std::span<Number> second, std::int64_t sample,
                                     std::int64_t head) const {
    const std::int64_t shared = head / (heads_ / kv_heads_);
    const std::span<Number> memory = is_across_ ? second : input;
    Number* query = input.empty() ? nullptr : input.data() + sample * queries_ * in_ + head * size_;
    if (memory.empty()) return {query, nullptr, nullptr};
    Number* keys = memory.data() + sample * keys_ * memory_ + (is_across_ ? 0 : heads_ * size_);
    return {query, keys + shared * size_, keys + kv_heads_ * size_ + shared * value_size_};
  }

  [[nodiscard]] static std::int64_t rest(std::int64_t first, std::int64_t all) {
    return std::min(attention_block, all - first);
  }
  // Key blocks end here for the block of queries from `query` on: later ones are masked.
  [[nodiscard]] std::int64_t end_of_keys(std::int64_t query) const {
    return causal_ ? query + rest(query, queries_) : keys_;
  }
  [[nodiscard]] ScoreBlock score_block(std::int64_t query, std::int64_t key) const {
    return {
        .queries = rest(query, queries_), .keys = rest(key, keys_), .scale = scale_, .masked = causal_ && query == key};
  }
  // queries x keys = left^T right, for two matrices of `inner` rows inside larger ones, the right one of keys or
  // values.
  void multiply(const ScoreBlock& block, std::int64_t inner, const float* left, std::int64_t left_stride,
                const float* right, float* result) const {
    gemm({.rows = block.queries,
          .columns = block.keys,
          .inner = inner,
          .left = Operand::transposed,
          .left_stride = left_stride,
          .right_stride = memory_,
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
      multiply(block, size_, from.query + query * in_, in_, from.key + key * memory_, scores);
      mask(block, scores);
      raise_highest(block, scores, rows);
      if (key > 0) scale_columns(rows.factor.data(), value_size_, block.queries, out_, to);
      to_weights(block, scores, rows);
      gemm({.rows = value_size_,
            .columns = block.queries,
            .inner = block.keys,
            .right = Operand::transposed,
            .update = key > 0 ? Update::add : Update::overwrite,
            .left_stride = memory_,
            .right_stride = block.stride(),
            .result_stride = out_},
           from.value + key * memory_, scores, to);
    }
    finish(rest(query, queries_), scale_, rows, kept + query);
    scale_columns(rows.factor.data(), value_size_, rest(query, queries_), out_, to);
  }

  void add_gradients(const Head<const float>& from, std::int64_t query, const float* output,
                     const float* output_gradient, const float* kept, float* scratch, const Head<float>& to) const {
    float *weights = scratch, *gradient = scratch + attention_block * attention_block;
    const float* slope = output_gradient + query * out_;
    RowNumbers means{}, log_sums{};
    column_products(output + query * out_, slope, value_size_, rest(query, queries_), out_, means.data());
    std::copy_n(kept + query, rest(query, queries_), log_sums.data());
    for (std::int64_t key = 0; key < end_of_keys(query); key += attention_block) {
      const ScoreBlock block = score_block(query, key);
      multiply(block, size_, from.query + query * in_, in_, from.key + key * memory_, weights);
      mask(block, weights);
      to_probabilities(block, log_sums, weights);
      multiply(block, value_size_, slope, out_, from.value + key * memory_, gradient);
      to_score_gradient(block, weights, means, gradient);
      if (to.key != nullptr) {
        add_to_keys(block, value_size_, slope, out_, weights, to.value + key * memory_);
        add_to_keys(block, size_, from.query + query * in_, in_, gradient, to.key + key * memory_);
      }
      if (to.query != nullptr) add_to_queries(block, from.key + key * memory_, gradient, to.query + query * in_);
    }
  }

  // The gradients of a block's keys or values, size x keys, += queries (size x queries) times weights.
  void add_to_keys(const ScoreBlock& block, std::int64_t size, const float* queries, std::int64_t query_stride,
                   const float* weights, float* keys) const {
    gemm({.rows = size,
          .columns = block.keys,
          .inner = block.queries,
          .update = Update::add,
          .left_stride = query_stride,
          .right_stride = block.stride(),
          .result_stride = memory_},
         queries, weights, keys);
  }

  // The gradients of a block's queries, size x queries, += keys (size x keys) times weights^T.
  void add_to_queries(const ScoreBlock& block, const float* keys, const float* weights, float* queries) const {
    gemm({.rows = size_,
          .columns = block.queries,
          .inner = block.keys,
          .right = Operand::transposed,
          .update = Update::add,
          .left_stride = memory_,
          .right_stride = block.stride(),
          .result_stride = in_},
         keys, weights, queries);
  }

  bool is_across_, causal_;
  std::int64_t heads_, kv_heads_;
  std::int64_t queries_, keys_;     // tokens
  std::int64_t size_, value_size_;  // per head, of queries and keys, and of values
  std::int64_t in_, memory_, out_;  // per token, of what has the queries, of what has the keys, and of the output
  float scale_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_attention(const Layer& layer) {
  return std::make_unique<Attention>(layer);
}

}  // namespace orrery
