#include "models/cost/attention_operators.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/number.hpp"

namespace orrery {
namespace {

/// The part of an attention layer that one device works on.
struct Heads {
  double heads, tokens, queries, key, value;
  [[nodiscard]] double scores() const { return heads * queries * tokens; }  // of a sample
};

Heads heads_of(const Layer& layer, const OperatorShare& share) {
  return {number(layer.heads) * share.work, number(key_tokens(layer)), number(layer.out.height) * share.context,
          number(head_size(layer)), number(value_size(layer))};
}

/// Of `seen` of `tokens` keys those that a causal query does not see, on the mean: the first of a window see less, w
/// - w^2 / 2 t of w; where tokens before them are memory, they hide half of their own number.
double hidden_keys(const Layer& layer, double seen, double tokens) {
  if (!layer.causal) return 0;
  const double queries = number(layer.out.height);
  return queries < tokens ? queries / 2.0 : seen * seen / (2.0 * tokens);
}

Operator fused(Operator::Kind kind, double flops, double bytes) {
  Operator op;
  op.kind = kind;
  op.flops = flops, op.bytes = bytes;
  return op;
}

LayerOperators fused_attention(const Layer& layer, const OperatorShare& share, const Heads& part, double width) {
  const double seen = number(seen_tokens(layer)), hidden = hidden_keys(layer, seen, part.tokens);
  const double flops = 2.0 * share.samples * part.heads * part.queries * (seen - hidden) * (part.key + part.value);
  // Queries and what comes out, keys and values; backward each and its gradient.
  const double shared_heads = std::max(1.0, number(layer.kv_heads) * share.work);
  const double bytes =
      width * share.samples * (part.heads * part.queries + shared_heads * part.tokens) * (part.key + part.value);
  LayerOperators operators;
  operators.forward.push_back(fused(Operator::Kind::attention_forward, flops, bytes));
  operators.backward_input.push_back(fused(Operator::Kind::attention_backward, 2.5 * flops, 2.0 * bytes));
  return operators;
}

/// Products and passes over scores, one after the other.
class Unfused {
 public:
  Unfused(const Layer& layer, const OperatorShare& share, const Heads& part, double width)
      : layer_(layer), share_(share), part_(part), width_(width) {}

  LayerOperators list() {
    const double count = share_.samples * part_.heads;
    const auto& [heads, tokens, queries, key, value] = part_;
    forward(queries, tokens, key, count);
    forward(queries, value, tokens, count);
    backward(queries, key, tokens, count);    // of the queries
    backward(key, tokens, queries, count);    // of the keys
    backward(queries, tokens, value, count);  // of the scores
    backward(tokens, value, queries, count);  // of the values
    list_softmax();
    if (layer_.distance_size > 0) list_distances();
    stream(count * queries * value, 4, 4);
    operators_.forward.back().launches = 2;  // heads apart, and together again
    return std::move(operators_);
  }

 private:
  void list_softmax() {
    const double scores = share_.samples * part_.scores();
    const bool by_autocast = share_.scores == ScoreFormat::autocast && width_ < 4.0;
    stream(scores, by_autocast ? 14 : 4, by_autocast ? 18 : 6);
    if (layer_.rate > 0) stream(scores, by_autocast ? 15 : 5, by_autocast ? 15 : 5);
  }

  /// Keys of the distances, the same for all samples, and the scores of queries with them, which are shifted into
  /// place, added to the others and masked; two trained vectors are added to the queries before.
  void list_distances() {
    const double asking = share_.samples * part_.queries, wide = part_.heads * part_.key;
    const double size = number(layer_.distance_size);
    forward(part_.tokens, wide, size, 1);
    forward(asking, part_.tokens, part_.key, part_.heads);
    backward(asking, part_.key, part_.tokens, part_.heads);  // of the queries
    backward(part_.tokens, part_.key, asking, part_.heads);  // of the keys
    if (!layer_.frozen) operators_.backward_weights.push_back(product_of(size, wide, part_.tokens, 1, width_));
    stream(2.0 * asking * wide, 4, 4);
    stream(share_.samples * part_.scores(), 14, 14);
  }

  void forward(double m, double n, double k, double count) {
    operators_.forward.push_back(product_of(m, n, k, count, width_));
  }
  void backward(double m, double n, double k, double count) {
    operators_.backward_input.push_back(product_of(m, n, k, count, width_));
  }
  void stream(double numbers, double forward, double backward) {
    operators_.forward.push_back(streaming_of(numbers, forward, width_));
    operators_.backward_input.push_back(streaming_of(numbers, backward, width_));
  }

  const Layer& layer_;
  const OperatorShare& share_;
  const Heads& part_;
  double width_;
  LayerOperators operators_;
};

}  // namespace

bool is_fused(const Layer& layer, const FrameworkProfile& framework) {
  return attends(layer.kind) && layer.distance_size == 0 && framework.flash_attention.value > 0.5;
}

Operator product_of(double m, double n, double k, double count, double width) {
  Operator op;
  op.kind = Operator::Kind::product;
  op.m = m, op.n = n, op.k = k, op.count = count;
  op.bytes = width * count * (m * k + k * n + m * n);
  return op;
}

Operator streaming_of(double numbers, double bytes_at_16_bits, double width) {
  Operator op;
  op.bytes = numbers * bytes_at_16_bits * width / 2.0;
  return op;
}

double executed_share(const Layer& layer, const FrameworkProfile& framework) {
  if (!is_fused(layer, framework)) return 1;
  const double seen = number(seen_tokens(layer));
  return 1.0 - hidden_keys(layer, seen, number(key_tokens(layer))) / seen;
}

LayerOperators attention_operators(const Layer& layer, const OperatorShare& share, double width) {
  const Heads part = heads_of(layer, share);
  LayerOperators operators = share.attention == AttentionKernel::flash ? fused_attention(layer, share, part, width)
                                                                       : Unfused(layer, share, part, width).list();
  operators.is_attention_core = true;
  return operators;
}

}  // namespace orrery
