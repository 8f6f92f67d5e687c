#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/networks/hf_blocks.hpp"
#include "models/networks/hf_readers.hpp"

namespace orrery {

namespace {

void refuse_groups(HfKeys& keys, std::int64_t groups, std::int64_t experts) {
  const std::string why = "groups have equally many";
  if (keys.has("n_group") || !keys.has("n_routed_experts")) {
    keys.problem("n_group", fmt::format("{} does not divide {} routed experts", groups, experts), why);
  } else {
    keys.problem("n_routed_experts",
                 fmt::format("{} is no multiple of n_group {}, the default of {}", experts, groups, keys.family()),
                 why);
  }
}

/// Told at the last key that the file gives of these: the later, the nearer to the choice.
void refuse_choice(HfKeys& keys, std::int64_t chosen, std::int64_t there, const std::string& groups) {
  std::string blamed = "num_experts_per_tok";
  for (const char* key : {"n_routed_experts", "n_group", "topk_group", "num_experts_per_tok"}) {
    if (keys.has(key)) blamed = key;
  }
  keys.problem(blamed, fmt::format("{} experts of a token are more than the {} in {} groups", chosen, there, groups));
}

/// Node-limited routing: a token's experts are in topk_group of n_group groups at most.
void read_expert_groups(HfKeys& keys, TransformerShape& shape, std::int64_t default_groups,
                        std::int64_t default_choice) {
  const std::int64_t groups = keys.is_null("n_group") ? 1 : keys.integer("n_group", default_groups);
  const std::int64_t fallback = std::min(default_choice, groups);
  const std::int64_t chosen = keys.is_null("topk_group") ? groups : keys.integer("topk_group", fallback);
  for (const char* key : {"n_routed_experts", "num_experts_per_tok", "n_group", "topk_group"}) {
    if (keys.is_wrong(key)) return;
  }
  if (shape.experts % groups != 0) {
    refuse_groups(keys, groups, shape.experts);
  } else if (chosen > groups) {
    keys.problem("topk_group", fmt::format("{} is more than n_group {}", chosen, groups));
  } else if (shape.experts_per_token > chosen * (shape.experts / groups)) {
    refuse_choice(keys, shape.experts_per_token, chosen * (shape.experts / groups),
                  fmt::format("{} of {}", chosen, groups));
  } else {
    shape.expert_groups = groups, shape.groups_per_token = chosen;
  }
}

/// DeepSeek's: every head has keys of its own, which rise from a shared vector.
void read_latent_attention(HfKeys& keys, TransformerShape& shape) {
  shape.query_rank = keys.is_null("q_lora_rank") ? 0 : keys.integer("q_lora_rank", 1536);
  shape.kv_rank = keys.integer("kv_lora_rank", 512);
  shape.rope_size = keys.integer("qk_rope_head_dim", 64);
  shape.nope_size = keys.integer("qk_nope_head_dim", 128);
  shape.value_size = keys.integer("v_head_dim", 128);
  if (keys.boolean("attention_bias", false)) {
    keys.problem("attention_bias", "is true", "networks have no biases in latent attention");
  }
}

/// A perceptron as wide as several experts is that many of them: the same products and weights.
void read_shared_expert(HfKeys& keys, TransformerShape& shape) {
  const std::int64_t width = keys.integer("shared_expert_intermediate_size", 5632);
  shape.shared_experts = width / shape.expert_ffn;
  shape.shared_gate = true;  // in the family's code, not in the file
  if (keys.is_wrong("shared_expert_intermediate_size") || keys.is_wrong("moe_intermediate_size")) return;
  if (width % shape.expert_ffn == 0) return;
  keys.problem("shared_expert_intermediate_size",
               fmt::format("{} is no multiple of moe_intermediate_size {}", width, shape.expert_ffn),
               "networks have shared experts as wide as the others");
}

/// Blocks that see all by no_rope_layers (in spite of its name: 1 with positions, and then in chunks).
void read_rotated_blocks(HfKeys& keys, TransformerShape& shape, const std::vector<std::int64_t>& rotated) {
  const auto count = static_cast<std::int64_t>(rotated.size());
  if (count < shape.layers && !keys.is_wrong("num_hidden_layers")) {
    keys.problem("no_rope_layers", fmt::format("names {} blocks of {}", count, shape.layers));
  }
  shape.full_every = 0;
  for (std::int64_t index = 0; index < std::min(shape.layers, count); ++index) {
    if (rotated[static_cast<std::size_t>(index)] == 0) shape.full_blocks.push_back(index + 1);
  }
}

/// Llama 4: attention in runs of tokens, but in every n-th block, which has no positions either.
void read_chunks(HfKeys& keys, TransformerShape& shape) {
  if (!keys.is_null("attention_chunk_size")) {
    shape.window = keys.integer("attention_chunk_size", 8192);
    keys.note("chunks of attention are counted as windows of as many tokens");
  }
  if (keys.has("layer_types")) {
    read_layer_types(keys, shape, "chunked_attention");
    return;
  }
  const auto rotated = keys.integers("no_rope_layers", 0);
  if (rotated && !rotated->empty()) {
    read_rotated_blocks(keys, shape, *rotated);
  } else {
    shape.full_every = keys.integer("no_rope_layer_interval", 4);
  }
}

}  // namespace

HfModel read_mixtral(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 8, 14336, 32000, 131072});
  read_windows(keys, model.shape, {0, 0});
  model.shape.experts = keys.integer("num_local_experts", 8);
  model.shape.experts_per_token = keys.integer("num_experts_per_tok", 2);
  return model;
}

HfModel read_phimoe(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 8, 6400, 32064, 131072});
  TransformerShape& shape = model.shape;
  shape.normalisation = Normalisation::layer_norm;
  read_attention_bias(keys, shape, false);
  shape.head_bias = keys.boolean("lm_head_bias", false);
  read_windows(keys, shape, {0, 0});
  shape.experts = keys.integer("num_local_experts", 16);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 2);
  return model;
}

HfModel read_qwen2_moe(HfKeys& keys) {
  HfModel model = like_llama(keys, {2048, 24, 16, 16, 5632, 151936, 32768});
  TransformerShape& shape = model.shape;
  shape.qkv_bias = keys.boolean("qkv_bias", true);
  read_qwen_moe_windows(keys, shape);
  shape.experts = keys.integer("num_experts", 60);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 4);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 1408);
  read_shared_expert(keys, shape);
  read_sparse_step(keys, shape);
  return model;
}

HfModel read_qwen3_moe(HfKeys& keys) {
  HfModel model = like_llama(keys, {2048, 24, 32, 4, 6144, 151936, 32768});
  TransformerShape& shape = model.shape;
  shape.query_norm = true;
  read_attention_bias(keys, shape, false);
  if (keys.boolean("use_sliding_window", false)) read_windows(keys, shape, {4096, 0});
  shape.experts = keys.integer("num_local_experts", "num_experts", 128);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 8);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 768);
  read_sparse_step(keys, shape);
  return model;
}

HfModel read_gpt_oss(HfKeys& keys) {
  HfModel model = like_llama(keys, {2880, 36, 64, 8, 2880, 201088, 131072, 64});
  TransformerShape& shape = model.shape;
  read_attention_bias(keys, shape, true);
  shape.sinks = shape.expert_biases = true;  // in the family's code, not in the file
  read_windows(keys, shape, {128, 2});
  shape.experts = keys.integer("num_experts", "num_local_experts", 128);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 4);
  return model;
}

HfModel read_llama4(HfKeys& keys) {
  HfModel model = like_llama(keys, {5120, 48, 40, 8, 8192, 202048, 131072, 128});
  TransformerShape& shape = model.shape;
  read_attention_bias(keys, shape, false);
  read_chunks(keys, shape);
  if (keys.boolean("use_qk_norm", true)) {
    keys.note("normalisations of queries and keys are left out: they have no weights, and their time is not counted");
  }
  shape.expert_ffn = shape.ffn;
  shape.ffn = keys.integer("intermediate_size_mlp", 16384);
  shape.experts = keys.integer("num_local_experts", 16);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 1);
  shape.shared_experts = 1;  // in the family's code, not in the file
  read_interleaved_experts(keys, shape);
  return model;
}

HfModel read_deepseek_v2(HfKeys& keys) {
  HfModel model = like_llama_but_heads(keys, {4096, 32, 32, 0, 11008, 32000, 2048});
  TransformerShape& shape = model.shape;
  read_latent_attention(keys, shape);
  shape.experts = keys.integer("n_routed_experts", 64);
  shape.shared_experts = keys.integer("n_shared_experts", 2, 0);
  shape.experts_per_token =
      keys.derived("num_experts_per_tok", 6, "of the released models; deepseek_v2 has no default");
  const bool is_limited = keys.text("topk_method", "greedy") == "group_limited_greedy";
  if (is_limited) read_expert_groups(keys, shape, 1, 1);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 1407);
  read_late_experts(keys, shape, 0);
  return model;
}

HfModel read_deepseek(HfKeys& keys) {
  HfModel model = like_llama_but_heads(keys, {7168, 61, 128, 0, 18432, 129280, 4096});
  TransformerShape& shape = model.shape;
  read_latent_attention(keys, shape);
  shape.experts = keys.integer("n_routed_experts", 256);
  shape.shared_experts = keys.integer("n_shared_experts", 1, 0);
  shape.experts_per_token = keys.integer("num_experts_per_tok", 8);
  read_expert_groups(keys, shape, 8, 4);
  shape.expert_ffn = keys.integer("moe_intermediate_size", 2048);
  read_late_experts(keys, shape, 3);
  if (keys.optional_integer("num_nextn_predict_layers", 0).value_or(0) > 0) {
    keys.note("num_nextn_predict_layers: the heads that predict further tokens are left out");
  }
  return model;
}

}  // namespace orrery
