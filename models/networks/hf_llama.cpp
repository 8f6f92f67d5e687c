#include <fmt/format.h>

#include <algorithm>

#include "models/networks/hf_readers.hpp"

namespace orrery {

namespace {

void note_window(HfKeys& keys) {
  if (const auto window = keys.optional_integer("sliding_window")) {
    keys.note(fmt::format("sliding_window = {} is left out: attention is counted in full", *window));
  }
}

/// Llama and its kin: rotary positions, rms normalisation, gates, no biases. Windows are for the caller.
HfModel like_llama_but_windows(HfKeys& keys, const Defaults& defaults) {
  HfModel model = common(keys, defaults);
  TransformerShape& shape = model.shape;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::rotary;
  shape.biases = false;
  shape.feedforward = activation(keys, "hidden_act", "silu", Gate::with);
  shape.kv_heads = defaults.kv_heads > 0 ? keys.integer("num_key_value_heads", defaults.kv_heads)
                                         : keys.optional_integer("num_key_value_heads").value_or(0);
  shape.head_size = keys.optional_integer("head_dim").value_or(0);
  shape.tied = keys.boolean("tie_word_embeddings", defaults.tied);
  return model;
}

HfModel like_llama(HfKeys& keys, const Defaults& defaults) {
  HfModel model = like_llama_but_windows(keys, defaults);
  note_window(keys);
  return model;
}

/// Node-limited routing: a token's experts are in topk_group of n_group groups at most.
void read_expert_groups(HfKeys& keys, TransformerShape& shape) {
  const std::int64_t groups = keys.is_null("n_group") ? 1 : keys.integer("n_group", 8);
  const std::int64_t fallback = std::min<std::int64_t>(4, groups);
  const std::int64_t chosen = keys.is_null("topk_group") ? groups : keys.integer("topk_group", fallback);
  if (shape.experts % groups != 0) {
    keys.problem("n_group", fmt::format("{} does not divide {} routed experts", groups, shape.experts),
                 "groups have equally many");
  } else if (chosen > groups) {
    keys.problem("topk_group", fmt::format("{} is more than n_group {}", chosen, groups));
  } else if (shape.experts_per_token > chosen * (shape.experts / groups)) {
    keys.problem("num_experts_per_tok",
                 fmt::format("{} are more than the {} experts in {} of {} groups", shape.experts_per_token,
                             chosen * (shape.experts / groups), chosen, groups));
  } else {
    shape.expert_groups = groups, shape.groups_per_token = chosen;
  }
}

}  // namespace

HfModel read_llama(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 0, 11008, 32000, 2048});
  model.shape.qkv_bias = model.shape.projection_bias = keys.boolean("attention_bias", false);
  if (keys.boolean("mlp_bias", false)) {
    model.shape.biases = model.shape.qkv_bias;
    if (!model.shape.qkv_bias) {
      keys.problem("mlp_bias", "is true where attention_bias is not", "networks have biases in both or in attention");
    }
  }
  return model;
}

HfModel read_mistral(HfKeys& keys) {
  return like_llama(keys, {4096, 32, 32, 8, 14336, 32000, 131072});
}

HfModel read_qwen2(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 32, 22016, 151936, 32768});
  model.shape.qkv_bias = true;  // in the family's code, not in the file
  return model;
}

HfModel read_qwen3(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 32, 22016, 151936, 32768});
  if (model.shape.head_size == 0) model.shape.head_size = keys.integer("head_dim", 128);
  model.shape.query_norm = true;
  model.shape.qkv_bias = model.shape.projection_bias = keys.boolean("attention_bias", false);
  return model;
}

HfModel read_gemma(HfKeys& keys) {
  HfModel model = like_llama(keys, {3072, 28, 16, 16, 24576, 256000, 8192, true});
  if (model.shape.head_size == 0) model.shape.head_size = keys.integer("head_dim", 256);
  return model;
}

HfModel read_phi3(HfKeys& keys) {
  return like_llama(keys, {3072, 32, 32, 0, 8192, 32064, 4096});
}

HfModel read_mixtral(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 8, 14336, 32000, 131072});
  model.shape.experts = keys.integer("num_local_experts", 8);
  model.shape.experts_per_token = keys.integer("num_experts_per_tok", 2);
  return model;
}

HfModel read_qwen3_moe(HfKeys& keys) {
  HfModel model = like_llama(keys, {2048, 24, 32, 4, 6144, 151936, 32768});
  TransformerShape& shape = model.shape;
  shape.query_norm = true;
  shape.qkv_bias = shape.projection_bias = keys.boolean("attention_bias", false);
  shape.experts = keys.integer("num_local_experts", "num_experts", 128);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 8);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 768);
  if (keys.integer("decoder_sparse_step", 1) != 1) {
    keys.problem("decoder_sparse_step", "is not 1", "only networks with experts in every block are made");
  }
  return model;
}

HfModel read_gpt_oss(HfKeys& keys) {
  HfModel model = like_llama_but_windows(keys, {2880, 36, 64, 8, 2880, 201088, 131072});
  TransformerShape& shape = model.shape;
  if (shape.head_size == 0) shape.head_size = keys.integer("head_dim", 64);
  shape.qkv_bias = shape.projection_bias = keys.boolean("attention_bias", true);
  shape.sinks = shape.expert_biases = true;  // in the family's code, not in the file
  shape.window = keys.is_null("sliding_window") ? 0 : keys.integer("sliding_window", 128);
  if (keys.has("layer_types")) keys.note("layer_types is taken to alternate, a window first");
  shape.experts = keys.integer("num_experts", "num_local_experts", 128);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 4);
  return model;
}

HfModel read_deepseek(HfKeys& keys) {
  HfModel model = like_llama(keys, {7168, 61, 128, 0, 18432, 129280, 4096});
  TransformerShape& shape = model.shape;
  shape.kv_heads = 0;  // latent attention gives every head keys of its own
  shape.head_size = 0;
  shape.query_rank = keys.is_null("q_lora_rank") ? 0 : keys.integer("q_lora_rank", 1536);
  shape.kv_rank = keys.integer("kv_lora_rank", 512);
  shape.rope_size = keys.integer("qk_rope_head_dim", 64);
  shape.nope_size = keys.integer("qk_nope_head_dim", 128);
  shape.value_size = keys.integer("v_head_dim", 128);
  shape.experts = keys.integer("n_routed_experts", 256);
  shape.shared_experts = keys.integer("n_shared_experts", 1, 0);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 8);
  read_expert_groups(keys, shape);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 2048);
  shape.dense_layers = keys.integer("first_k_dense_replace", 3, 0);
  if (keys.optional_integer("num_nextn_predict_layers", 0).value_or(0) > 0) {
    keys.note("num_nextn_predict_layers: the heads that predict further tokens are left out");
  }
  return model;
}

}  // namespace orrery
