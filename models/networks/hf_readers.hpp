// What the readers of Hugging Face families share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/networks/hf_families.hpp"

namespace orrery {

enum class Gate : std::uint8_t { without, with };

/// Feed-forward by the name of its activation.
Feedforward activation(HfKeys& keys, const std::string& key, const std::string& fallback, Gate gate);

/// The network has one rate for its dropouts: the largest that the file gives.
double dropout(HfKeys& keys, const std::vector<std::string>& names, double fallback);

struct Defaults {
  std::int64_t hidden, layers, heads, kv_heads, ffn, vocabulary, positions;  // kv_heads 0: as many as heads
  std::int64_t head_size = 0;                                                // 0: hidden / heads
  bool tied = false;                                                         // the head's weights are the embedding's
  const char* activation = "silu";
  const char* activation_key = "hidden_act";
};

/// Dimensions by the names that most families share.
HfModel common(HfKeys& keys, const Defaults& defaults);

/// Heads of keys and values, as many as of queries where the file gives null; size of a head.
void read_heads(HfKeys& keys, TransformerShape& shape, const Defaults& defaults);
/// As many heads of keys and values as of queries where the file does not say it.
std::int64_t read_kv_heads(HfKeys& keys, const std::string& key, const TransformerShape& shape);

/// Llama and its kin: rotary positions, rms normalisation, gates, no biases, all tokens seen.
HfModel like_llama(HfKeys& keys, const Defaults& defaults);
/// The same without its heads of keys and values and their size: latent attention has others.
HfModel like_llama_but_heads(HfKeys& keys, const Defaults& defaults);

/// Of the products before and after attention alike.
void read_attention_bias(HfKeys& keys, TransformerShape& shape, bool fallback);

HfModel read_llama(HfKeys& keys);
HfModel read_granite(HfKeys& keys);
HfModel read_mistral(HfKeys& keys);
HfModel read_qwen2(HfKeys& keys);
HfModel read_qwen3(HfKeys& keys);
HfModel read_gemma(HfKeys& keys);
HfModel read_gemma2(HfKeys& keys);
HfModel read_gemma3(HfKeys& keys);
HfModel read_phi3(HfKeys& keys);
HfModel read_olmo2(HfKeys& keys);
HfModel read_glm4(HfKeys& keys);
HfModel read_cohere(HfKeys& keys);

// Of these the mixtures of experts.
HfModel read_mixtral(HfKeys& keys);
HfModel read_phimoe(HfKeys& keys);
HfModel read_qwen2_moe(HfKeys& keys);
HfModel read_qwen3_moe(HfKeys& keys);
HfModel read_gpt_oss(HfKeys& keys);
HfModel read_llama4(HfKeys& keys);
HfModel read_deepseek_v2(HfKeys& keys);
HfModel read_deepseek(HfKeys& keys);

}  // namespace orrery
