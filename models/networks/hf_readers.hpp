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
  bool tied = false;                                                         // the head's weights are the embedding's
};

/// Dimensions by the names that most families share.
HfModel common(HfKeys& keys, const Defaults& defaults);

// Llama and its kin.
HfModel read_llama(HfKeys& keys);
HfModel read_mistral(HfKeys& keys);
HfModel read_qwen2(HfKeys& keys);
HfModel read_qwen3(HfKeys& keys);
HfModel read_gemma(HfKeys& keys);
HfModel read_phi3(HfKeys& keys);
HfModel read_mixtral(HfKeys& keys);
HfModel read_qwen3_moe(HfKeys& keys);
HfModel read_gpt_oss(HfKeys& keys);
HfModel read_deepseek(HfKeys& keys);

}  // namespace orrery
