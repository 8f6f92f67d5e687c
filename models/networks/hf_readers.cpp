#include "models/networks/hf_readers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

Feedforward activation(HfKeys& keys, const std::string& key, const std::string& fallback, Gate gate) {
  const std::string name = keys.text(key, fallback);
  if (name.find("gelu") != std::string::npos) return gate == Gate::with ? Feedforward::geglu : Feedforward::gelu;
  if (gate == Gate::with && (name == "silu" || name == "swish")) return Feedforward::swiglu;
  if (gate == Gate::without && name == "relu") return Feedforward::relu;
  keys.problem(key,
               fmt::format("activation \"{}\" is not known {} a gate", name, gate == Gate::with ? "with" : "without"),
               gate == Gate::with ? "known: silu, swish, gelu and its forms" : "known: relu, gelu and its forms");
  return gate == Gate::with ? Feedforward::swiglu : Feedforward::gelu;
}

double dropout(HfKeys& keys, const std::vector<std::string>& names, double fallback) {
  double low = 1.0, high = 0.0;
  for (const std::string& name : names) {
    const double rate = keys.rate(name, fallback);
    low = std::min(low, rate);
    high = std::max(high, rate);
  }
  if (low != high) keys.note(fmt::format("dropout = {} everywhere (the rates given differ)", high));
  return high;
}

HfModel common(HfKeys& keys, const Defaults& defaults) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("hidden_size", defaults.hidden);
  shape.layers = keys.integer("num_hidden_layers", defaults.layers);
  shape.heads = keys.integer("num_attention_heads", defaults.heads);
  shape.ffn = keys.integer("intermediate_size", defaults.ffn);
  shape.vocabulary = keys.integer("vocab_size", defaults.vocabulary);
  model.positions = keys.integer("max_position_embeddings", defaults.positions);
  return model;
}

void read_attention_bias(HfKeys& keys, TransformerShape& shape, bool fallback) {
  shape.qkv_bias = shape.projection_bias = keys.boolean("attention_bias", fallback);
}

std::int64_t read_kv_heads(HfKeys& keys, const std::string& key, const TransformerShape& shape) {
  return keys.derived(key, shape.heads, "as many as num_attention_heads");
}

void read_heads(HfKeys& keys, TransformerShape& shape, const Defaults& defaults) {
  const bool has_own = defaults.kv_heads > 0 && !keys.is_null("num_key_value_heads");
  shape.kv_heads = has_own ? keys.integer("num_key_value_heads", defaults.kv_heads)
                           : read_kv_heads(keys, "num_key_value_heads", shape);
  if (defaults.head_size > 0) {
    shape.head_size = keys.integer("head_dim", defaults.head_size);
  } else if (keys.has("head_dim")) {
    shape.head_size = keys.integer("head_dim", 1);
  } else {  // stays 0, so that heads that do not divide are told
    keys.taken("head_dim", std::to_string(shape.hidden / shape.heads), "hidden_size / num_attention_heads");
  }
}

}  // namespace orrery
