#include "models/networks/transformer_blocks.hpp"

#include <utility>

namespace orrery {

namespace {

LayerKind kind_of(Feedforward feedforward) {
  switch (feedforward) {
    case Feedforward::relu:
      return LayerKind::relu;
    case Feedforward::swiglu:
      return LayerKind::swiglu;
    case Feedforward::geglu:
      return LayerKind::geglu;
    case Feedforward::gelu:
      break;
  }
  return LayerKind::gelu;
}

bool is_gated(Feedforward feedforward) {
  return feedforward == Feedforward::swiglu || feedforward == Feedforward::geglu;
}

class BlockWriter {
 public:
  BlockWriter(GraphWriter& writer, const TransformerShape& shape, const BlockPlace& place)
      : writer_(writer), shape_(shape), place_(place), stream_(place.input) {}

  void write() {
    if (shape_.order != BlockOrder::serial) {
      write_parallel();
      return;
    }
    attention(normalises_before() ? norm("norm1", stream_) : stream_);
    add("1");
    if (place_.memory.valid()) cross_attention();
    if (normalises_before()) norm("norm2", stream_);
    perceptron();
    add("2");
  }

 private:
  /// x + attention(norm(x)) + perceptron(norm(x)).
  void write_parallel() {
    const LayerId shared = norm("norm1", stream_);
    attention(shared);
    drop("drop1");
    const LayerId attended = writer_.last();
    source_ = shape_.order == BlockOrder::parallel ? norm("norm2", stream_) : shared;
    perceptron();
    drop("drop2");
    const LayerId both = writer_.join(name("add1"), LayerKind::residual_add, writer_.last(), attended);
    writer_.join(name("add2"), LayerKind::residual_add, both, stream_);
  }

  [[nodiscard]] bool normalises_before() const {
    return shape_.norms == NormPlaces::before || shape_.norms == NormPlaces::around;
  }
  [[nodiscard]] bool normalises_branches() const {
    return shape_.norms == NormPlaces::after_branch || shape_.norms == NormPlaces::around;
  }

  [[nodiscard]] std::string name(const std::string& part) const { return place_.prefix + part; }

  LayerId norm(const std::string& part, LayerId input) { return add_from(input, part, kind_of_norm(), 0); }
  [[nodiscard]] LayerKind kind_of_norm() const { return orrery::kind_of(shape_.normalisation); }

  LayerId add_from(LayerId input, const std::string& part, LayerKind kind, std::int64_t units) {
    Layer layer;
    layer.name = name(part);
    layer.kind = kind;
    layer.input = input;
    return writer_.add(std::move(layer), units);
  }

  enum class Bias : std::uint8_t { without, with };
  LayerId dense(const std::string& part, LayerId input, std::int64_t units, Bias bias) {
    Layer layer;
    layer.name = name(part);
    layer.input = input;
    layer.bias = bias == Bias::with;
    return writer_.add(std::move(layer), units);
  }
  [[nodiscard]] Bias bias() const { return shape_.biases ? Bias::with : Bias::without; }
  [[nodiscard]] Bias qkv_bias() const { return shape_.biases || shape_.qkv_bias ? Bias::with : Bias::without; }

  void drop(const std::string& part) {
    if (shape_.dropout <= 0) return;
    Layer layer;
    layer.name = name(part);
    layer.kind = LayerKind::dropout;
    layer.rate = shape_.dropout;
    writer_.add(std::move(layer));
  }

  /// Onto the residual stream, with the normalisation before or after it where that is the order.
  void add(const std::string& number) {
    if (normalises_branches()) norm("post_norm" + number, writer_.last());
    drop("drop" + number);
    stream_ = writer_.join(name("add" + number), LayerKind::residual_add, writer_.last(), stream_);
    if (shape_.norms == NormPlaces::after) stream_ = norm("norm" + number, stream_);
  }

  void attention(LayerId input) {
    Layer layer = attention_layer("attention", LayerKind::attention);
    layer.causal = place_.causal;
    layer.window = place_.window;
    layer.sinks = shape_.sinks;
    if (shape_.position == Positions::relative && place_.is_first) layer.positions = shape_.positions;
    if (shape_.kv_rank > 0) {
      latent_qkv(layer, input);
    } else if (shape_.query_norm) {
      normalised_qkv(input);
    } else {
      dense("qkv", input, (shape_.heads + 2 * shape_.kv_heads) * shape_.head_size, qkv_bias());
    }
    writer_.add(std::move(layer));
    dense("projection", writer_.last(), shape_.hidden, shape_.projection_bias ? Bias::with : bias());
  }

  [[nodiscard]] Layer attention_layer(const std::string& part, LayerKind kind) const {
    Layer layer;
    layer.name = name(part);
    layer.kind = kind;
    layer.heads = shape_.heads;
    layer.kv_heads = shape_.kv_heads;
    layer.head_size = shape_.head_size;
    layer.value_size = shape_.head_size;
    layer.rate = shape_.dropout;
    return layer;
  }

  LayerId head_norm(const std::string& part, std::int64_t heads) {
    Layer layer;
    layer.name = name(part);
    layer.kind = LayerKind::rms_norm;
    layer.heads = shape_.norm_of_all_heads ? 1 : heads;
    return writer_.add(std::move(layer));
  }

  void normalised_qkv(LayerId input) {
    const std::int64_t key_size = shape_.kv_heads * shape_.head_size;
    dense("query", input, shape_.heads * shape_.head_size, qkv_bias());
    const LayerId query = head_norm("query_norm", shape_.heads);
    dense("key", input, key_size, qkv_bias());
    const LayerId key = head_norm("key_norm", shape_.kv_heads);
    const LayerId value = dense("value", input, key_size, qkv_bias());
    const LayerId both = writer_.join(name("query_key"), LayerKind::concatenate, query, key);
    writer_.join(name("qkv"), LayerKind::concatenate, both, value);
  }

  /// DeepSeek-V2 (arXiv 2405.04434, section 2.1): queries and keys of nope + rope numbers; keys and values rise from a
  /// shared latent vector, the rotary part of the keys comes once for all heads.
  void latent_qkv(Layer& attention, LayerId input) {
    attention.head_size = shape_.nope_size + shape_.rope_size;
    attention.value_size = shape_.value_size;
    attention.shared_size = shape_.rope_size;
    const LayerId query = latent_query(input, shape_.heads * attention.head_size);
    dense("kv_down", input, shape_.kv_rank, Bias::without);
    writer_.add(name("kv_norm"), LayerKind::rms_norm);
    const LayerId raised =
        dense("kv_up", writer_.last(), shape_.heads * (shape_.nope_size + shape_.value_size), Bias::without);
    const LayerId rope = dense("key_rope", input, shape_.rope_size, Bias::without);
    const LayerId keys_values = writer_.join(name("keys_values"), LayerKind::concatenate, raised, rope);
    writer_.join(name("qkv"), LayerKind::concatenate, query, keys_values);
  }

  LayerId latent_query(LayerId input, std::int64_t units) {
    if (shape_.query_rank == 0) return dense("query", input, units, Bias::without);
    dense("query_down", input, shape_.query_rank, Bias::without);
    writer_.add(name("query_latent_norm"), LayerKind::rms_norm);
    return dense("query_up", writer_.last(), units, Bias::without);
  }

  void cross_attention() {
    norm("cross_norm", stream_);
    const LayerId query = dense("cross_query", writer_.last(), shape_.heads * shape_.head_size, bias());
    const LayerId keys_values =
        dense("cross_keys_values", place_.memory, 2 * shape_.kv_heads * shape_.head_size, bias());
    Layer layer = attention_layer("cross_attention", LayerKind::cross_attention);
    layer.input = query;
    layer.skip = keys_values;
    writer_.add(std::move(layer));
    dense("cross_projection", writer_.last(), shape_.hidden, bias());
    drop("cross_drop");
    stream_ = writer_.join(name("cross_add"), LayerKind::residual_add, writer_.last(), stream_);
  }

  void perceptron() {
    if (place_.has_experts) {
      experts();
      return;
    }
    const LayerId input = source_.valid() ? source_ : writer_.last();
    const LayerKind kind = kind_of(shape_.feedforward);
    dense("up", input, (is_gated(shape_.feedforward) ? 2 : 1) * shape_.ffn, bias());
    writer_.add(name(std::string(name_of(kind))), kind);
    dense("down", writer_.last(), shape_.hidden, bias());
  }

  void experts() {
    Layer layer;
    layer.name = name("experts");
    layer.kind = LayerKind::mixture_of_experts;
    layer.input = source_;
    layer.experts = shape_.experts;
    layer.experts_per_token = shape_.experts_per_token;
    layer.shared_experts = shape_.shared_experts;
    layer.expert_groups = shape_.expert_groups;
    layer.groups_per_token = shape_.groups_per_token;
    layer.expert_units = shape_.expert_ffn;
    layer.gated = is_gated(shape_.feedforward);
    layer.shared_gate = shape_.shared_gate;
    layer.bias = shape_.expert_biases;
    writer_.add(std::move(layer));
  }

  GraphWriter& writer_;
  const TransformerShape& shape_;
  const BlockPlace& place_;
  LayerId stream_;  // what the next addition adds to
  LayerId source_;  // what the perceptron reads; invalid: the last layer
};

}  // namespace

LayerKind kind_of(Normalisation normalisation) {
  return normalisation == Normalisation::rms_norm ? LayerKind::rms_norm : LayerKind::layer_norm;
}

void add_block(GraphWriter& writer, const TransformerShape& shape, const BlockPlace& place) {
  BlockWriter(writer, shape, place).write();
}

}  // namespace orrery
